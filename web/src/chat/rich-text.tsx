/** A message's text with its links and mentions; line breaks stay, and nothing is taken for markup. */
import { useMemo } from "react";
import { writtenAs } from "../lib/everyone";
import { usePeople } from "../lib/names";
import { pieces } from "../lib/text";

export function RichText({ text, mentions }: { text: string; mentions: readonly string[] }) {
  const { me } = usePeople();
  const parts = useMemo(() => pieces(text, mentions.map(writtenAs)), [text, mentions]);
  return parts.map((part, index) => {
    const key = `${index}${part.kind}`;
    if (part.kind === "link") {
      return (
        <a key={key} href={part.text} target="_blank" rel="noopener noreferrer nofollow">
          {part.text}
        </a>
      );
    }
    if (part.kind === "mention") {
      return (
        <bdi key={key} className={part.text === `@${me}` || mentions.includes(part.text) ? "mention me" : "mention"}>
          {part.text}
        </bdi>
      );
    }
    return <span key={key}>{part.text}</span>;
  });
}
