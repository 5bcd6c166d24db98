/** A message's text in pieces: words, links and mentions. Nothing in it is ever taken for markup. */
export type Piece = { kind: "text" | "link" | "mention"; text: string };

const MARKED = /(https?:\/\/[^\s<>"]+)|(?<![\p{L}\p{N}_])@([A-Za-z0-9_.@-]{1,128})/gu;
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
