/** What one may in a conversation: as the server says, and until it has said it, as it is where nothing is configured. */

const EVERYONES = ["send", "attach", "forward", "edit_own", "delete_own", "react", "change_own_data"] as const;
const OF_THE_TWO = [...EVERYONES, "pin"] as const;
type Running =
  | ("delete_any" | "pin" | "mention_all" | "mention_here" | "write_frozen" | "skip_slow_mode")
  | ("add_members" | "remove_members" | "change_roles" | "change_name" | "change_topic" | "change_join")
  | ("change_history" | "change_slow_mode" | "freeze" | "create_invites" | "manage_invites" | "decide_requests")
  | "change_retention";
const OF_OWNERS: readonly string[] = ["change_roles", "change_retention"] satisfies Permission[];
export type Permission = (typeof EVERYONES)[number] | Running;

/** `told`: names of the protocol's table, of which those count that are known here. A private conversation has no roles. */
export function permits(
  id: string,
  permission: Permission,
  { told, role, isGuest }: { told?: readonly string[] | undefined; role: string | null; isGuest: boolean },
): boolean {
  const has = (list: readonly string[]) => list.includes(permission);
  if (id.startsWith("dm:")) return has(isGuest ? EVERYONES : OF_THE_TWO);
  if (told) return has(told);
  if (role === "owner" || role === "admin") return !isGuest && (role === "owner" || !OF_OWNERS.includes(permission));
  return id.startsWith("group:") && has(EVERYONES);
}
