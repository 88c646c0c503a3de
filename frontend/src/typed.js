// Dates and times as people type them, without any page.

/** The name of the words that show how each kind of control is filled in. */
export const PATTERNS = { date: "datePattern", "datetime-local": "momentPattern", time: "timePattern" };

const two = (text) => text.padStart(2, "0");

/** Return the date as `2026-11-02`, a moment as `2026-11-02 08:05`, a time as `08:05`; what cannot be read stays as it was typed. */
export function asTyped(kind, text) {
  const numbers = text.match(/\d+/g) ?? [];
  const [year, month, day] = numbers;
  const date = year?.length === 4 && day && day.length <= 2 && month.length <= 2 ? `${year}-${two(month)}-${two(day)}` : "";
  const [hour, minute] = kind === "time" ? numbers : numbers.slice(3);
  const time = hour && minute && hour.length <= 2 && minute.length <= 2 ? `${two(hour)}:${two(minute)}` : "";
  if (kind === "date") return date && numbers.length === 3 ? date : text;
  if (kind === "time") return time && numbers.length === 2 ? time : text;
  return date && time && numbers.length === 5 ? `${date} ${time}` : text;
}
