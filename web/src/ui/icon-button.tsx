/** A button that shows an icon alone: its name is read out, and stands beside it when it is pointed at. */
import type { ComponentProps } from "react";
import { Icon, type IconName } from "./icon";

interface Props extends ComponentProps<"button"> {
  icon: IconName;
  label: string;
}

export function IconButton({ icon, label, type = "button", className, ...more }: Props) {
  const classes = className ? `icon-button ${className}` : "icon-button";
  return (
    <button type={type} className={classes} aria-label={label} title={label} {...more}>
      <Icon name={icon} />
    </button>
  );
}
