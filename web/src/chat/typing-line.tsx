/** Who is writing, in a line that is always there, so that nothing moves. */
import { useTyping } from "@parley/react";
import { useTypingText } from "../lib/typing";

export function TypingLine({ id }: { id: string }) {
  const { users } = useTyping(id);
  const text = useTypingText(users);
  return (
    <p className="typing-line" role="status">
      {text && (
        <span className="dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
      )}
      <bdi>{text}</bdi>
    </p>
  );
}
