/** A message's text in pieces: words, links and mentions. Nothing in it is ever taken for markup. */
export type Piece = { kind: "text" | "link" | "mention"; text: string };

/** Marks that turn the direction of what follows: a link or a name that holds one reads as another. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;
const MARKED = /(https?:\/\/[^\s<>"\u202a-\u202e\u2066-\u2069]+)|(?<![\p{L}\p{N}_])@([A-Za-z0-9_.@-]{1,128})/gu;
/** Behind a name: it is the beginning of another one. A full stop may end the sentence. */
const GOES_ON = /^(?:[A-Za-z0-9_@-]|\.[A-Za-z0-9_@-])/;
const TRAILING = /[.,;:!?)\]}'’”]+$/;

export function pieces(text: string, mentions: readonly string[] = []): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(MARKED)) {
    const piece = match[1] ? link(match[1]) : mention(match[2] ?? "", mentions);
    if (!piece) continue;
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index) });
    found.push(piece);
    from = match.index + piece.text.length;
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from) });
  return found;
}

function link(text: string): Piece {
  const bare = text.replace(TRAILING, "");
  return { kind: "link", text: bare };
}

function mention(name: string, mentions: readonly string[]): Piece | null {
  const isWhole = (one: string) => name.startsWith(one) && !GOES_ON.test(name.slice(one.length));
  const user = mentions.filter(isWhole).sort((a, b) => b.length - a.length)[0];
  return user ? { kind: "mention", text: `@${user}` } : null;
}

/** The members that a text names, of those that there are. */
export function mentionsIn(text: string, members: readonly string[]): string[] {
  const named = pieces(text, members).filter((piece) => piece.kind === "mention");
  return [...new Set(named.map((piece) => piece.text.slice(1)))].slice(0, 50);
}

const ONLY_EMOJI =
  /^(?:\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F|\u200D\p{Extended_Pictographic})*\s?){1,3}$/u;

export function isOnlyEmoji(text: string): boolean {
  return text.length <= 40 && ONLY_EMOJI.test(text);
}

/** What runs from right to left, and marks that make other text do so. */
const RUNS_BACK =
  /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
/** Letters and digits of Latin script with anything of ASCII between them: from right to left, they stay together. */
const PLAIN = /^[A-Za-z0-9](?:[ -~]*[A-Za-z0-9])?$/;

/** What others wrote, within a text of the page: however it runs, it turns nothing around it. For where no `<bdi>` can stand. */
export function isolated(text: string, direction = globalThis.document?.dir): string {
  const isSafe = direction === "rtl" ? PLAIN.test(text) : !RUNS_BACK.test(text);
  return isSafe ? text : `\u2068${text.replace(TURNS, "")}\u2069`;
}

/** A name as it reads from its beginning to its end, whatever marks are in it: "exe.gpj" is no picture. */
export function unturned(name: string): string {
  return name.replace(TURNS, "");
}

/** What the server takes for nothing (`is_blank` there; a test compares them): it shows nothing, and can't be sent. */
const SHOWS =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each is a character of its own here
  /[^\u034f\p{Cc}\p{Z}\p{Cs}\p{NChar}\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u{13441}\u{13442}\u{16fe4}\u{1d159}]/u;
const NO_LABEL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{NChar}]/u;

export function isBlank(text: string): boolean {
  return !SHOWS.test(text);
}

/** Whether it can be a name or a title, as the server has it: one line that shows, without what no line holds. */
export function isLabel(text: string): boolean {
  return !isBlank(text) && !NO_LABEL.test(text);
}

/** The first letter of a name, or what else of it shows first: an emoji is one, however many marks it is made of. */
export function initialOf(name: string): string {
  for (const { segment } of new Intl.Segmenter().segment(name)) {
    if (!isBlank(segment) && segment !== "@") return segment.toLocaleUpperCase();
  }
  return "?";
}
