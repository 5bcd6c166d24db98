/** Completing the name of a member behind an @: the list above the composer, moved through by arrows, taken by Enter or Tab. */
import { type KeyboardEvent, type RefObject, useId, useState } from "react";
import { useI18n } from "../i18n";
import { CROWDS } from "../lib/everyone";
import { useMembers } from "../lib/members";
import { usePeople } from "../lib/names";
import { Avatar } from "../ui/avatar";

const SHOWN = 6;
const BEGUN = /(^|[\s(])@([A-Za-z0-9_.@-]*)$/;

export interface Mentions {
  list: string;
  found: readonly string[];
  chosen: number;
  take(user: string): void;
  look(): void;
  /** True where the key was meant for the list. */
  press(event: KeyboardEvent): boolean;
  owned: Readonly<Record<string, string>>;
}

export function useMentions(
  area: RefObject<HTMLTextAreaElement | null>,
  text: string,
  setText: (text: string) => void,
  users: readonly string[],
): Mentions {
  const { nameOf } = usePeople();
  const list = useId();
  const [caret, setCaret] = useState(0);
  const [chosen, setChosen] = useState(0);
  const [dismissed, setDismissed] = useState("");
  const begun = users.length ? BEGUN.exec(text.slice(0, caret)) : null;
  const begin = begun?.[2]?.toLocaleLowerCase() ?? "";
  const isFound = (user: string) => [user, nameOf(user)].some((name) => name.toLocaleLowerCase().startsWith(begin));
  const found = begun && dismissed !== begun[0] ? users.filter(isFound).slice(0, SHOWN) : [];
  const at = Math.min(chosen, found.length - 1);
  const take = (user: string) => {
    const start = caret - begin.length;
    setText(`${text.slice(0, start)}${user} ${text.slice(caret)}`);
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(start + user.length + 1, start + user.length + 1);
    });
  };
  const press = (event: KeyboardEvent) => {
    const user = found[at];
    if (user === undefined) return false;
    if (event.key === "ArrowDown") setChosen((at + 1) % found.length);
    else if (event.key === "ArrowUp") setChosen((at + found.length - 1) % found.length);
    else if (event.key === "Escape") setDismissed(begun?.[0] ?? "");
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") take(user);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const look = () => {
    setCaret(area.current?.selectionStart ?? 0);
    setChosen(0);
  };
  const owned = found.length
    ? { "aria-autocomplete": "list", "aria-controls": list, "aria-activedescendant": `${list}-${at}` } // no other role suits a text of many lines
    : {};
  return { list, found, chosen: at, take, look, press, owned };
}

export function MentionList({ list, found, chosen, take }: Mentions) {
  const { t } = useI18n();
  const { nameOf: nameOfUser } = usePeople();
  const { users } = useMembers();
  if (!found.length) return null;
  const nameOf = (one: string) => {
    const crowd = users.includes(one) ? undefined : CROWDS.find((each) => each === one);
    return crowd ? t(`mention.${crowd}`) : nameOfUser(one);
  };
  return (
    <div className="mentions" role="listbox" id={list} aria-label={t("compose.mentions")}>
      {found.map((user, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard stays in the text, where arrows and Enter are heard
        // biome-ignore lint/a11y/useFocusableInteractive: likewise, by aria-activedescendant
        <div
          key={user}
          id={`${list}-${index}`}
          role="option"
          aria-selected={index === chosen}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => take(user)}
        >
          <Avatar id={user} name={nameOf(user)} size="s" />
          <bdi>{nameOf(user)}</bdi>
        </div>
      ))}
    </div>
  );
}
