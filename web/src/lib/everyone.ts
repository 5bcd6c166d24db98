/** The two that stand for many in a list of mentions, and how each is written in a text. */
export const CROWDS = ["all", "here"] as const;

/** The name behind the @ that a mention is written with. */
export function writtenAs(mention: string): string {
  return CROWDS.find((one) => mention === `@${one}`) ?? mention;
}

/** What a name behind an @ mentions, where it is none of these members'. */
export function mentionOf(name: string, users: readonly string[]): string {
  return CROWDS.some((one) => one === name) && !users.includes(name) ? `@${name}` : name;
}

/** Those that somebody may mention beside these members. */
export function crowdsFor(
  may: (permission: `mention_${(typeof CROWDS)[number]}`) => boolean,
  users: readonly string[],
): readonly string[] {
  return CROWDS.filter((one) => may(`mention_${one}`) && !users.includes(one));
}
