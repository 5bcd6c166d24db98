import { indexedDBStore, ParleyClient } from "@parley/client";
import { ParleyProvider, useClient, useConnection, useInbox, useMessages, useSend, useTyping } from "@parley/react";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

function Conversations({ chosen, choose }) {
  const { userId } = useClient();
  return useInbox().items.map((row) => (
    <button key={row.id} type="button" aria-current={row.id === chosen} onClick={() => choose(row.id)}>
      {row.name ?? row.members.find((user) => user !== userId)} {row.unread > 0 && <strong>{row.unread} new</strong>}
    </button>
  ));
}

function Chat({ id }) {
  const { items, noteRead } = useMessages(id);
  const { users, setTyping } = useTyping(id);
  const send = useSend({ conversation_id: id });
  const last = items.at(-1)?.message?.seq;
  useEffect(() => void (last && noteRead(last)), [last, noteRead]); // what is on screen is read
  const line = ({ key, mine, message, state }) => (
    <li key={key}>
      <b>{message.sender_id}</b> {message.content ?? "(deleted)"} {mine && <small>{state}</small>}
    </li>
  );
  return (
    <>
      <ol>{items.filter(({ kind }) => kind === "message").map(line)}</ol>
      <p>{users.length > 0 && `${users.join(", ")} writes …`}</p>
      <form action={(data) => data.get("text") && send(data.get("text"))}>
        <input name="text" aria-label="Write a message" autoComplete="off" onInput={() => setTyping(true)} />
        <button type="submit">Send</button>
      </form>
    </>
  );
}

function App() {
  const { state, reason } = useConnection();
  const [chosen, choose] = useState();
  return (
    <main>
      <nav aria-label="Chats">
        <p role="status">{[state, reason].filter(Boolean).join(": ")}</p>
        <Conversations chosen={chosen} choose={choose} />
      </nav>
      <section>{chosen ? <Chat key={chosen} id={chosen} /> : "Choose a chat."}</section>
    </main>
  );
}

const session = async () => (await fetch("./session.json")).json(); // your server's: who is signed in, and a token
const { url, httpUrl, user } = await session();
const token = async () => (await session()).token; // asked for again before it ends
const client = new ParleyClient({ url, httpUrl, token, store: indexedDBStore(`parley:${url}:${user}`) });
createRoot(document.querySelector("#root")).render(
  <ParleyProvider client={client}>
    <App />
  </ParleyProvider>,
);
