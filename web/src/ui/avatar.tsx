/** A user or a group: the picture that the team has of a user, else a coloured disc with the first letter. Who is known to be there has a dot. */
import { useState } from "react";
import { usePeople } from "../lib/names";
import { initialOf } from "../lib/text";

const HUES = 12;

/** The same colour for the same id, on every device. */
export function hueOf(id: string): number {
  let hash = 2_166_136_261; // FNV-1a
  for (const char of id) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  return (hash >>> 16) % HUES;
}

interface Props {
  id: string;
  name: string;
  /** A group's own. */
  picture?: string | null | undefined;
  online?: boolean;
  size?: "s" | "m" | "l";
}

export function Avatar({ id, name, picture: own, online, size = "m" }: Props) {
  const isMany = /^(group|channel):/.test(id);
  const picture = usePeople().pictureOf(id, own);
  const [broken, setBroken] = useState<string | null>(null);
  return (
    <span className={`avatar hue-${hueOf(id)} size-${size}${isMany ? " group" : ""}`} aria-hidden="true">
      {picture && picture !== broken ? (
        <img src={picture} alt="" referrerPolicy="no-referrer" loading="lazy" onError={() => setBroken(picture)} />
      ) : (
        initialOf(name)
      )}
      {online && <span className="dot" />}
    </span>
  );
}
