/** Users whose names begin with what was typed: to be picked. */
import type { User } from "@parley/client/more";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { Avatar } from "../ui/avatar";

const PAUSE_MS = 250;
const MOST = 8;

/** What is being typed: all of it, or what stands behind the last comma. */
export function lastOf(text: string, isOne: boolean): string {
  return (isOne ? text : (text.split(/[,;]/).at(-1) ?? "")).trim();
}

/** The list with this user in place of what was being typed. */
export function withLast(text: string, user: string): string {
  const before = text
    .split(/[,;]/)
    .slice(0, -1)
    .map((one) => one.trim())
    .filter(Boolean);
  return [...before, user].join(", ").concat(", ");
}

export function FoundUsers({ begin, onPick }: { begin: string; onPick: (user: string) => void }) {
  const { t } = useI18n();
  const { me, directory, nameOf } = usePeople();
  const [found, setFound] = useState<readonly User[]>([]);
  useEffect(() => {
    if (!begin) return setFound([]);
    let here = true;
    const timer = setTimeout(() => {
      directory.search(begin, { limit: MOST }).then(
        ({ users }) => here && setFound(users),
        () => here && setFound([]), // ids can be typed all the same
      );
    }, PAUSE_MS);
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, [begin, directory]);
  const others = found.filter((user) => user.user_id !== me);
  return (
    <div role="status">
      {others.length > 0 && (
        <ul className="people found" aria-label={t("new.found")}>
          {others.map(({ user_id: user, role }) => (
            <li key={user}>
              <button type="button" className="person" onClick={() => onPick(user)}>
                <Avatar id={user} name={nameOf(user)} size="s" />
                <span className="person-name">
                  <bdi>{nameOf(user)}</bdi>
                  <small>
                    <bdi>{[user, role].filter(Boolean).join(" · ")}</bdi>
                  </small>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
