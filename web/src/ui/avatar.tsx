/** A user or a group as a coloured disc with its first letter; users whose presence is known have a dot. */
import { initialOf } from "../lib/text";

const HUES = 12;

/** The same colour for the same id, on every device. */
export function hueOf(id: string): number {
  let hash = 2_166_136_261; // FNV-1a
  for (const char of id) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  return (hash >>> 16) % HUES;
}

export function Avatar({
  id,
  name,
  online,
  size = "m",
}: {
  id: string;
  name: string;
  online?: boolean;
  size?: "s" | "m" | "l";
}) {
  return (
    <span
      className={`avatar hue-${hueOf(id)} size-${size}${/^(group|channel):/.test(id) ? " group" : ""}`}
      aria-hidden="true"
    >
      {initialOf(name)}
      {online && <span className="dot" />}
    </span>
  );
}
