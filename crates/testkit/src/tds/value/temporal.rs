//! Dates and times: days since 0001-01-01 and increments of 10^-scale seconds (MS-TDS section 2.2.5.5.1.8).

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use super::super::cursor::{Cursor, Malformed, malformed};

const NANOS_PER_DAY: u64 = 86_400_000_000_000;

fn year_one() -> NaiveDate {
    NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or_default()
}

/// How many bytes a time of this scale takes.
pub(super) const fn time_width(scale: u8) -> usize {
    match scale {
        0..=2 => 3,
        3 | 4 => 4,
        _ => 5,
    }
}

pub(super) fn put_time(out: &mut BytesMut, time: NaiveTime, scale: u8) {
    let nanos = u64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + u64::from(time.nanosecond());
    let increments = nanos / 10_u64.pow(u32::from(9_u8.saturating_sub(scale)));
    out.extend_from_slice(&increments.to_le_bytes()[..time_width(scale)]);
}

/// `None` before the year 1 and after 9999, which SQL Server's types cannot hold.
pub(super) fn put_date(out: &mut BytesMut, date: NaiveDate) -> Option<()> {
    let days = u32::try_from(date.signed_duration_since(year_one()).num_days()).ok()?;
    if days > 3_652_058 {
        return None;
    }
    out.extend_from_slice(&days.to_le_bytes()[..3]);
    Some(())
}

pub(super) fn put_datetime(out: &mut BytesMut, value: NaiveDateTime) -> Option<()> {
    let epoch = NaiveDate::from_ymd_opt(1900, 1, 1)?;
    let days = i32::try_from(value.date().signed_duration_since(epoch).num_days()).ok()?;
    let time = value.time();
    let nanos = u64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + u64::from(time.nanosecond());
    out.put_i32_le(days);
    out.put_u32_le(u32::try_from(nanos * 3 / 10_000_000).ok()?);
    Some(())
}

pub(super) fn read_time(bytes: &[u8], scale: u8) -> Result<NaiveTime, Malformed> {
    if scale > 7 || bytes.len() != time_width(scale) {
        return Err(malformed("time"));
    }
    let mut padded = [0; 8];
    padded[..bytes.len()].copy_from_slice(bytes);
    let nanos = u64::from_le_bytes(padded)
        .checked_mul(10_u64.pow(u32::from(9 - scale)))
        .filter(|nanos| *nanos < NANOS_PER_DAY)
        .ok_or(malformed("time"))?;
    let seconds = u32::try_from(nanos / 1_000_000_000).map_err(|_| malformed("time"))?;
    let fraction = u32::try_from(nanos % 1_000_000_000).map_err(|_| malformed("time"))?;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, fraction).ok_or(malformed("time"))
}

pub(super) fn read_date(bytes: &[u8]) -> Result<NaiveDate, Malformed> {
    let days: [u8; 3] = bytes.try_into().map_err(|_| malformed("date"))?;
    let days = u32::from_le_bytes([days[0], days[1], days[2], 0]);
    year_one().checked_add_days(Days::new(days.into())).filter(|_| days <= 3_652_058).ok_or(malformed("date"))
}

pub(super) fn read_datetime2(bytes: &[u8], scale: u8) -> Result<NaiveDateTime, Malformed> {
    let (time, date) = bytes.split_at_checked(time_width(scale)).ok_or(malformed("datetime2"))?;
    Ok(read_date(date)?.and_time(read_time(time, scale)?))
}

pub(super) fn read_datetime_offset(bytes: &[u8], scale: u8) -> Result<DateTime<FixedOffset>, Malformed> {
    const WHAT: &str = "datetimeoffset";
    let (moment, offset) =
        bytes.len().checked_sub(2).and_then(|split| bytes.split_at_checked(split)).ok_or(malformed(WHAT))?;
    let minutes = i32::from(i16::from_le_bytes(offset.try_into().map_err(|_| malformed(WHAT))?));
    let offset =
        Some(minutes).filter(|minutes| minutes.abs() <= 840).and_then(|minutes| FixedOffset::east_opt(minutes * 60));
    // The moment is sent in UTC; the offset only says how to show it.
    Ok(read_datetime2(moment, scale)?.and_utc().with_timezone(&offset.ok_or(malformed(WHAT))?))
}

pub(super) fn read_datetime(cursor: &mut Cursor<'_>) -> Result<NaiveDateTime, Malformed> {
    const WHAT: &str = "datetime";
    let days = i32::from_le_bytes(cursor.array(WHAT)?);
    let ticks = cursor.u32(WHAT)?;
    NaiveDate::from_ymd_opt(1900, 1, 1)
        .and_then(|epoch| epoch.checked_add_signed(TimeDelta::try_days(days.into())?))
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .and_then(|midnight| midnight.checked_add_signed(TimeDelta::nanoseconds(i64::from(ticks) * 10_000_000 / 3)))
        .filter(|_| ticks < 25_920_000)
        .ok_or(malformed(WHAT))
}
