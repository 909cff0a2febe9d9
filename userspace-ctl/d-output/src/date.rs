// SPDX-License-Identifier: GPL-2.0-only
//! Points in time, for `%Y` and `%T`.
#![forbid(unsafe_code)]

use crate::world::World;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const DAY: i64 = 86_400;
const NANOSECONDS: u64 = 1_000_000_000;

/// A day and a time of day in some zone.
struct Civil {
    year: i64,
    month: usize,
    day: i64,
    weekday: i64,
    /// Of the year, from 0.
    yearday: i64,
    second: i64,
}

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar; months from 1.
/// (The algorithm is Howard Hinnant's "days_from_civil".)
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl Civil {
    fn new(seconds: i64) -> Self {
        let (since, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let shifted = since + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march = (5 * of_year + 2) / 153;
        let month = (march + 2) % 12 + 1;
        let year = year + era * 400 + i64::from(month <= 2);
        Self {
            year,
            month: month as usize - 1,
            day: of_year - (153 * march + 2) / 5 + 1,
            weekday: (since + 4).rem_euclid(7),
            yearday: since - days(year, 1, 1),
            second,
        }
    }

    fn clock(&self) -> String {
        let (minutes, seconds) = (self.second / 60, self.second % 60);
        format!("{:02}:{:02}:{seconds:02}", minutes / 60, minutes % 60)
    }

    /// The year of ISO 8601's weeks: that of the week's Thursday.
    fn week_year(&self) -> i64 {
        let thursday = self.yearday - (self.weekday + 6) % 7 + 3;
        let length = days(self.year + 1, 1, 1) - days(self.year, 1, 1);
        self.year - i64::from(thursday < 0) + i64::from(thursday >= length)
    }
}

/// Nanoseconds since 1970 as `%Y` shows them: `2026 Nov  3 18:04:14`.
pub fn date(nanoseconds: u64, world: &dyn World) -> String {
    let seconds = (nanoseconds / NANOSECONDS) as i64;
    let is = Civil::new(seconds + i64::from(world.zone(seconds).offset));
    format!(
        "{} {} {:2} {}",
        is.year,
        MONTHS[is.month],
        is.day,
        is.clock()
    )
}

/// As `%T` shows them, the form of RFC 822: `Tue, 03 Nov 2026 18:04:14 UTC`. libdtrace takes
/// the year of the week.
pub fn rfc822(nanoseconds: u64, world: &dyn World) -> String {
    let seconds = (nanoseconds / NANOSECONDS) as i64;
    let zone = world.zone(seconds);
    let is = Civil::new(seconds + i64::from(zone.offset));
    format!(
        "{}, {:02} {} {} {} {}",
        WEEKDAYS[is.weekday as usize],
        is.day,
        MONTHS[is.month],
        is.week_year(),
        is.clock(),
        zone.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Probe, Zone};

    struct Offset(i32);

    impl World for Offset {
        fn probe(&self, _: u32) -> Option<Probe> {
            None
        }

        fn zone(&self, _: i64) -> Zone {
            Zone {
                offset: self.0,
                name: "CET".into(),
            }
        }
    }

    #[test]
    fn dates_are_those_of_date_1() {
        let shown = |seconds: u64| date(seconds * NANOSECONDS, &Offset(0));
        assert_eq!(shown(0), "1970 Jan  1 00:00:00");
        assert_eq!(shown(123_456_789), "1973 Nov 29 21:33:09");
        assert_eq!(shown(951_782_400), "2000 Feb 29 00:00:00");
        assert_eq!(shown(4_107_542_399), "2100 Feb 28 23:59:59");
        assert_eq!(shown(4_107_542_400), "2100 Mar  1 00:00:00");
    }

    #[test]
    fn the_zone_counts() {
        let time = 1_136_073_599 * NANOSECONDS; // 2005-12-31 23:59:59 UTC, a Saturday
        assert_eq!(date(time, &Offset(3600)), "2006 Jan  1 00:59:59");
        // That Sunday belongs to the last week of 2005.
        assert_eq!(rfc822(time, &Offset(3600)), "Sun, 01 Jan 2005 00:59:59 CET");
        assert_eq!(date(time, &Offset(-1)), "2005 Dec 31 23:59:58");
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut before = Civil::new(-DAY);
        for day in 0..146_097 {
            let is = Civil::new(day * DAY);
            assert_eq!(days(is.year, is.month as i64 + 1, is.day), day);
            assert_eq!(is.weekday, (before.weekday + 1) % 7);
            assert!(is.yearday == before.yearday + 1 || (is.yearday, is.day) == (0, 1));
            before = is;
        }
    }
}
