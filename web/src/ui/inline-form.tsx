/** One field and its button in a line: what is typed is handed over where it is good. */
import { type SubmitEvent, useState } from "react";

interface Props {
  label: string;
  action: string;
  placeholder?: string;
  first?: string;
  /** Whether it is prose, of any script; else it is ids. */
  isProse?: boolean;
  isGood(text: string): boolean;
  /** False where it did not go well: what was typed stays. */
  onSubmit(text: string): Promise<boolean>;
}

export function InlineForm({ label, action, placeholder, first = "", isProse = false, isGood, onSubmit }: Props) {
  const [typed, setTyped] = useState(first);
  const text = typed.trim();
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (isGood(text) && (await onSubmit(text)) && !first) setTyped("");
  };
  const kind = isProse
    ? ({ dir: "auto", maxLength: 100 } as const)
    : ({ autoCapitalize: "none", spellCheck: false } as const);
  return (
    <form className="inline" onSubmit={submit}>
      <input
        className="field"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        aria-label={label}
        placeholder={placeholder}
        {...kind}
      />
      <button type="submit" className="button" disabled={!isGood(text)}>
        {action}
      </button>
    </form>
  );
}
