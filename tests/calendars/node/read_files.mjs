// Each file's events as ical.js and ts-ics understand them: UID, start and end in seconds since 1970, summary, status.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";
import { convertIcsCalendar } from "ts-ics";

ICAL.design.strict = true;

function withIcalJs(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
  const events = calendar.getAllSubcomponents("vevent").map((component) => {
    const event = new ICAL.Event(component);
    return {
      uid: event.uid,
      start: event.startDate.toUnixTime(),
      end: event.endDate.toUnixTime(),
      summary: event.summary,
      status: component.getFirstPropertyValue("status"),
      description: event.description,
    };
  });
  ICAL.TimezoneService.reset();
  return events;
}

function withTsIcs(text) {
  const calendar = convertIcsCalendar(undefined, text);
  return (calendar.events ?? []).map((event) => ({
    uid: event.uid,
    start: event.start.date.getTime() / 1000,
    end: event.end.date.getTime() / 1000,
    summary: event.summary,
    status: event.status ?? null,
    description: event.description ?? null,
  }));
}

const answers = process.argv.slice(2).map((path) => {
  const text = readFileSync(path, "utf8");
  return { "ical.js": withIcalJs(text), "ts-ics": withTsIcs(text) };
});
console.log(JSON.stringify(answers));
