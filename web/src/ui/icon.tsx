/** The icons, by what they are for. They say nothing by themselves: the button has the name. */
import {
  Archive,
  ArrowDown,
  ArrowLeft,
  Ban,
  Bell,
  BellOff,
  Check,
  CheckCheck,
  CircleAlert,
  Clock,
  Copy,
  Ellipsis,
  File,
  Flag,
  Forward,
  Hourglass,
  Info,
  LayoutList,
  Link,
  LogOut,
  type LucideIcon,
  MapPin,
  Mic,
  Paperclip,
  Pause,
  Pencil,
  Pin,
  Play,
  Reply,
  Search,
  SendHorizontal,
  Smile,
  SquarePen,
  Trash2,
  UserRound,
  Users,
  X,
} from "lucide-react";

const ICONS = {
  archive: Archive,
  attach: Paperclip,
  back: ArrowLeft,
  bell: Bell,
  block: Ban,
  card: LayoutList,
  check: Check,
  checks: CheckCheck,
  clock: Clock,
  close: X,
  compose: SquarePen,
  copy: Copy,
  down: ArrowDown,
  edit: Pencil,
  emoji: Smile,
  file: File,
  flag: Flag,
  forward: Forward,
  hourglass: Hourglass,
  info: Info,
  link: Link,
  microphone: Mic,
  more: Ellipsis,
  mute: BellOff,
  out: LogOut,
  pause: Pause,
  people: Users,
  person: UserRound,
  pin: Pin,
  place: MapPin,
  play: Play,
  reply: Reply,
  search: Search,
  send: SendHorizontal,
  trash: Trash2,
  warning: CircleAlert,
} as const satisfies Record<string, LucideIcon>;

export type IconName = keyof typeof ICONS;

/** Icons that point along the line of text turn round where it runs from right to left. */
const DIRECTED = new Set<IconName>(["back", "forward", "out", "reply", "send"]);

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  const Drawn = ICONS[name];
  return (
    <Drawn
      className={DIRECTED.has(name) ? "icon directed" : "icon"}
      size={size}
      strokeWidth={1.9}
      aria-hidden
      focusable="false"
    />
  );
}

export function Logo() {
  return <img className="logo" src="./icon.svg" alt="" width={48} height={48} />;
}
