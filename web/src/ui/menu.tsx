/** A menu behind a button, with arrows, letters and Escape as people know them (Radix). */
import * as Radix from "@radix-ui/react-dropdown-menu";
import { type PointerEvent, type ReactNode, useRef, useState } from "react";
import { usePlace } from "./dialog";
import { Icon, type IconName } from "./icon";

export interface MenuEntry {
  label: string;
  /** What is seen in place of the label. */
  shown?: string;
  icon?: IconName;
  danger?: boolean;
  checked?: boolean;
  onSelect(): void;
}

/** `inRow`: side by side, for what is no longer than a letter. */
export type MenuGroup = { title?: string; inRow?: boolean; entries: readonly (MenuEntry | false | null | undefined)[] };

interface Props {
  children: ReactNode;
  groups: readonly MenuGroup[];
  align?: "start" | "end";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}

/** `children` is the button. Not modal: the page behind stays as it is, and nothing is put into its style. */
export function Menu({ children, groups, align = "end", open, onOpenChange }: Props) {
  const [own, setOwn] = useState(false);
  const isTouch = useRef(false);
  const change = (next: boolean) => {
    setOwn(next);
    onOpenChange?.(next);
  };
  // Radix opens as soon as the button is touched, which may be where a finger begins to scroll: a tap ends in a click.
  const press = (event: PointerEvent) => {
    isTouch.current = event.pointerType === "touch";
    if (isTouch.current) event.preventDefault();
  };
  return (
    <Radix.Root modal={false} dir={document.dir === "rtl" ? "rtl" : "ltr"} open={open ?? own} onOpenChange={change}>
      <Radix.Trigger asChild onPointerDown={press} onClick={() => isTouch.current && change(true)}>
        {children}
      </Radix.Trigger>
      <Radix.Portal container={usePlace()}>
        <Radix.Content className="menu" align={align} sideOffset={4} collisionPadding={8} loop>
          {groups.map((group, index) => (
            <Radix.Group key={group.title ?? index} className={group.inRow ? "menu-row" : undefined}>
              {group.title && <Radix.Label className="menu-title">{group.title}</Radix.Label>}
              {group.entries.map((entry) => entry && <Entry key={entry.label} {...entry} />)}
            </Radix.Group>
          ))}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Entry({ label, shown, icon, danger, checked, onSelect }: MenuEntry) {
  const className = danger ? "menu-entry danger" : "menu-entry";
  if (checked !== undefined) {
    return (
      <Radix.CheckboxItem className={className} checked={checked} onSelect={onSelect}>
        <span className="menu-check">{checked && <Icon name="check" size={16} />}</span>
        {label}
      </Radix.CheckboxItem>
    );
  }
  return (
    <Radix.Item className={className} onSelect={onSelect} aria-label={shown && label} textValue={label}>
      {icon && <Icon name={icon} size={18} />}
      {shown ?? label}
    </Radix.Item>
  );
}
