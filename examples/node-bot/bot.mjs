/** A bot that takes polls. `/poll Lunch? pizza, pasta` has it ask; reactions are votes, and its message counts them. */
import { ParleyClient } from "@parley/client";
import { fileStore } from "@parley/client/node";
import { WebSocket } from "ws";

const DIGITS = ["1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣"];

const { PARLEY_WS_URL: url, PARLEY_HTTP_URL: httpUrl, PARLEY_TOKEN: token, BOT_STORE = "bot.jsonl" } = process.env;
if (!url || !httpUrl || !token) {
  console.error("PARLEY_WS_URL, PARLEY_HTTP_URL and PARLEY_TOKEN have to be set: see README.md");
  process.exit(2);
}
const store = fileStore(BOT_STORE); // its place in every log, and what is unsent
const bot = new ParleyClient({ url, httpUrl, token, store, WebSocket });

/** `{ question, options }` of a command, or what is wrong with it. */
function pollOf(command) {
  const [, question, list] = command.match(/^\/poll\s+([^?]+\?)\s*(.*)$/s) ?? [];
  const options = (list ?? "").split(",").map((each) => each.trim());
  if (!question || options.includes("") || options.length < 2 || options.length > DIGITS.length) {
    return { wrong: `Like this, with 2 to ${DIGITS.length} answers:  /poll Lunch? pizza, pasta` };
  }
  return { question: question.trim(), options };
}

/** The poll in words. Who votes twice is counted for both: a vote is a reaction. */
function shown({ question, options }, reactions = {}) {
  const lines = options.map((each, at) => `${DIGITS[at]} ${each}: ${(reactions[DIGITS[at]] ?? []).length}`);
  return [question, ...lines].join("\n");
}

async function asked({ conversation_id, seq, message }) {
  if (message.sender_id === bot.userId || !message.content?.startsWith("/poll")) return;
  const { wrong, ...poll } = pollOf(message.content);
  // Named after what it answers: after a crash the same again is stored once.
  const more = { client_message_id: `answer-${seq}`, reply_to: seq, ...(!wrong && { data: { poll } }) };
  await bot.send({ conversation_id }, wrong ?? shown(poll), more).stored;
}

/** The message itself says what the poll is and who has voted, so the bot has nothing of its own to lose. */
async function voted({ conversation_id, message_seq }) {
  const path = { conversation_id, seq: message_seq };
  const message = await bot.api.get("/v1/conversations/{conversation_id}/messages/{seq}", { path });
  if (message.sender_id !== bot.userId || !message.data?.poll) return;
  await bot.edit(conversation_id, message_seq, shown(message.data.poll, message.reactions));
}

// One after the other: of two counts that go out together the older one could come last.
let work = Promise.resolve();
bot.on("entry", (entry) => {
  const does = { new_message: asked, reaction: voted }[entry.type];
  if (does) work = work.then(() => does(entry)).catch((error) => console.error(`${entry.type}: ${error.message}`));
});

async function end() {
  await work;
  await bot.close();
  store.close();
}
process.once("SIGINT", end);
process.once("SIGTERM", end);

bot.subscribe("connection", () => {
  const { state, reason, code } = bot.connection();
  if (state === "online") console.log("online");
  if (state === "offline") console.error(`offline: ${reason}`); // it goes on trying by itself
  if (state !== "ended" || code === "closed") return;
  console.error(`The bot had to end: ${reason} (${code})`);
  process.exitCode = 1;
  end();
});
bot.start().catch(() => undefined); // what has gone wrong is said above
