/** What a team's own programs hang on messages: links, places and contacts readably, anything else by what it says of itself. */
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { hrefOf } from "../lib/route";
import { privateId } from "../lib/server";
import { isUserId } from "../lib/session";
import { unturned } from "../lib/text";
import { Icon, type IconName } from "../ui/icon";

type Fields = { type: string; [name: string]: unknown };

/** Text of any of these fields that shows. */
function said(card: Fields, ...names: string[]): string {
  for (const name of names) {
    const value = card[name];
    if (typeof value === "string" && value.trim()) return unturned(value.trim()).slice(0, 300);
    if (typeof value === "number" && Number.isFinite(value)) return String(value);
  }
  return "";
}

/** An address that a browser may open from here; anything else is shown as text at most. */
function safe(address: unknown): URL | null {
  if (typeof address !== "string") return null;
  try {
    const url = new URL(address);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

function numbers(card: Fields): [number, number] | null {
  const latitude = card.latitude ?? card.lat;
  const longitude = card.longitude ?? card.lon ?? card.lng;
  const isGood = typeof latitude === "number" && typeof longitude === "number";
  return isGood && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? [latitude, longitude] : null;
}

export function Card({ card }: { card: Fields }) {
  if (card.type === "link") return <LinkCard card={card} />;
  if (card.type === "location") return <PlaceCard card={card} />;
  if (card.type === "contact") return <ContactCard card={card} />;
  return <OtherCard card={card} />;
}

interface ShownProps {
  icon: IconName;
  title: string;
  text?: string;
  href?: string;
  /** It stays within the page. */
  isOwn?: boolean;
}

function Shown({ icon, title, text, href, isOwn }: ShownProps) {
  const inside = (
    <>
      <span className="file-icon">
        <Icon name={icon} />
      </span>
      <span className="file-text">
        <bdi className="file-name">{title}</bdi>
        {text && (
          <small>
            <bdi>{text}</bdi>
          </small>
        )}
      </span>
    </>
  );
  if (!href) return <div className="attachment file card">{inside}</div>;
  const away = isOwn ? {} : { target: "_blank", rel: "noopener noreferrer nofollow" };
  return (
    <a className="attachment file card" href={href} {...away}>
      {inside}
    </a>
  );
}

function LinkCard({ card }: { card: Fields }) {
  const { t } = useI18n();
  const url = safe(card.url ?? card.href);
  const title = said(card, "title", "name", "text") || url?.host || t("card.link");
  const text = [said(card, "description"), url?.host].filter(Boolean).join(" · ");
  return <Shown icon="link" title={title} text={text} {...(url && { href: url.href })} />;
}

function PlaceCard({ card }: { card: Fields }) {
  const { t } = useI18n();
  const place = numbers(card);
  const where = place?.map((one) => one.toFixed(5)).join(", ");
  const [latitude, longitude] = place ?? [0, 0];
  const map = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`;
  const title = said(card, "name", "title", "label") || t("card.location");
  const text = [said(card, "address", "description"), where].filter(Boolean).join(" · ");
  return <Shown icon="place" title={title} text={text} {...(place && { href: map })} />;
}

function ContactCard({ card }: { card: Fields }) {
  const { t } = useI18n();
  const { me, nameOf } = usePeople();
  const user = typeof card.user_id === "string" && isUserId(card.user_id) ? card.user_id : null;
  const title = said(card, "name", "title", "display_name") || (user ? nameOf(user) : t("card.contact"));
  const text = [user, said(card, "phone", "tel"), said(card, "email")].filter(Boolean).join(" · ");
  const chat = user && user !== me ? { href: hrefOf(privateId(me, user)), isOwn: true } : {};
  return <Shown icon="person" title={title} text={text} {...chat} />;
}

function OtherCard({ card }: { card: Fields }) {
  const { t } = useI18n();
  const title = said(card, "title", "name", "question", "label");
  const text = said(card, "text", "description", "summary");
  const kind = t("card.other", { kind: unturned(card.type).slice(0, 64) });
  return <Shown icon="card" title={title || kind} text={[text, title && kind].filter(Boolean).join(" · ")} />;
}
