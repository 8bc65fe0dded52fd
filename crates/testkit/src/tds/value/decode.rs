//! Types and values as the client sends them with a remote procedure call.

use uuid::Uuid;

use super::temporal::{read_date, read_datetime, read_datetime_offset, read_datetime2, read_time};
use super::{Length, TdsType, TdsValue};
use crate::tds::cursor::{Cursor, Malformed, decode_utf16, malformed};
use tds_protocol::TypeId;

const WHAT: &str = "parameter";
/// Larger values than this are refused, so that no client can fill the memory.
const LARGEST_VALUE: usize = 64 << 20;

/// Reads `TYPE_INFO` and the value behind it (MS-TDS section 2.2.6.6).
///
/// # Errors
/// [`Malformed`] when the bytes end early, contradict themselves, or are of a type that no driver here sends.
pub(in crate::tds) fn decode_parameter(cursor: &mut Cursor<'_>) -> Result<(TdsType, TdsValue), Malformed> {
    let kind = read_type(cursor)?;
    let value = match kind {
        TdsType::Null => TdsValue::Null,
        TdsType::NVarChar(_) | TdsType::NChar(_) => match read_long(cursor, kind)? {
            Some(bytes) => TdsValue::Text(decode_utf16(&bytes, WHAT)?),
            None => TdsValue::Null,
        },
        TdsType::VarChar(_) => match read_long(cursor, kind)? {
            Some(bytes) => TdsValue::Text(bytes.iter().copied().map(char::from).collect()),
            None => TdsValue::Null,
        },
        TdsType::VarBinary(_) | TdsType::Binary(_) => read_long(cursor, kind)?.map_or(TdsValue::Null, TdsValue::Bytes),
        _ => {
            let length = usize::from(cursor.u8(WHAT)?);
            let bytes = cursor.take(length, WHAT)?;
            if bytes.is_empty() { TdsValue::Null } else { read_short(kind, bytes)? }
        }
    };
    Ok((kind, value))
}

fn read_type(cursor: &mut Cursor<'_>) -> Result<TdsType, Malformed> {
    let id = TypeId::from_u8(cursor.u8(WHAT)?).ok_or(malformed(WHAT))?;
    Ok(match id {
        TypeId::Null => TdsType::Null,
        TypeId::BitN => sized(cursor, &[(1, TdsType::Bit)])?,
        TypeId::IntN => {
            sized(cursor, &[(1, TdsType::TinyInt), (2, TdsType::SmallInt), (4, TdsType::Int), (8, TdsType::BigInt)])?
        }
        TypeId::FloatN => sized(cursor, &[(4, TdsType::Real), (8, TdsType::Float)])?,
        TypeId::Guid => sized(cursor, &[(16, TdsType::UniqueIdentifier)])?,
        TypeId::DateTimeN => sized(cursor, &[(8, TdsType::DateTime)])?,
        TypeId::Date => TdsType::Date,
        TypeId::Time => TdsType::Time(time_scale(cursor)?),
        TypeId::DateTime2 => TdsType::DateTime2(time_scale(cursor)?),
        TypeId::DateTimeOffset => TdsType::DateTimeOffset(time_scale(cursor)?),
        TypeId::DecimalN | TypeId::NumericN => {
            let [_, precision, scale] = cursor.array(WHAT)?;
            if precision == 0 || precision > 38 || scale > precision {
                return Err(malformed(WHAT));
            }
            TdsType::Decimal { precision, scale }
        }
        TypeId::NVarChar => TdsType::NVarChar(text_length(cursor, 2)?),
        TypeId::NChar => TdsType::NChar(fixed(text_length(cursor, 2)?)?),
        TypeId::BigVarChar => TdsType::VarChar(text_length(cursor, 1)?),
        TypeId::BigVarBinary => TdsType::VarBinary(length(cursor.u16(WHAT)?, 1)),
        TypeId::BigBinary => TdsType::Binary(fixed(length(cursor.u16(WHAT)?, 1))?),
        _ => return Err(malformed(WHAT)),
    })
}

fn sized(cursor: &mut Cursor<'_>, choices: &[(u8, TdsType)]) -> Result<TdsType, Malformed> {
    let size = cursor.u8(WHAT)?;
    choices.iter().find(|(of, _)| *of == size).map(|(_, kind)| *kind).ok_or(malformed(WHAT))
}

fn time_scale(cursor: &mut Cursor<'_>) -> Result<u8, Malformed> {
    Some(cursor.u8(WHAT)?).filter(|scale| *scale <= 7).ok_or(malformed(WHAT))
}

const fn length(bytes: u16, unit: u16) -> Length {
    if bytes == u16::MAX { Length::Max } else { Length::Of(bytes / unit) }
}

fn text_length(cursor: &mut Cursor<'_>, unit: u16) -> Result<Length, Malformed> {
    let length = length(cursor.u16(WHAT)?, unit);
    cursor.take(5, WHAT)?; // the collation
    Ok(length)
}

const fn fixed(length: Length) -> Result<u16, Malformed> {
    match length {
        Length::Of(units) => Ok(units),
        Length::Max => Err(malformed(WHAT)),
    }
}

fn read_long(cursor: &mut Cursor<'_>, kind: TdsType) -> Result<Option<Vec<u8>>, Malformed> {
    let chunked = matches!(
        kind,
        TdsType::NVarChar(Length::Max) | TdsType::VarChar(Length::Max) | TdsType::VarBinary(Length::Max)
    );
    if !chunked {
        return match cursor.u16(WHAT)? {
            u16::MAX => Ok(None),
            length => Ok(Some(cursor.take(length.into(), WHAT)?.to_vec())),
        };
    }
    if cursor.u64(WHAT)? == u64::MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    loop {
        let chunk = cursor.u32(WHAT)? as usize;
        if chunk == 0 {
            return Ok(Some(bytes));
        }
        if bytes.len().saturating_add(chunk) > LARGEST_VALUE {
            return Err(malformed(WHAT));
        }
        bytes.extend_from_slice(cursor.take(chunk, WHAT)?);
    }
}

fn read_short(kind: TdsType, bytes: &[u8]) -> Result<TdsValue, Malformed> {
    fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
        bytes.try_into().map_err(|_| malformed(WHAT))
    }
    Ok(match kind {
        TdsType::Bit => TdsValue::Bit(exact::<1>(bytes)? != [0]),
        TdsType::TinyInt => TdsValue::Int(exact::<1>(bytes)?[0].into()),
        TdsType::SmallInt => TdsValue::Int(i16::from_le_bytes(exact(bytes)?).into()),
        TdsType::Int => TdsValue::Int(i32::from_le_bytes(exact(bytes)?).into()),
        TdsType::BigInt => TdsValue::Int(i64::from_le_bytes(exact(bytes)?)),
        TdsType::Real => TdsValue::Real(f32::from_le_bytes(exact(bytes)?)),
        TdsType::Float => TdsValue::Float(f64::from_le_bytes(exact(bytes)?)),
        TdsType::UniqueIdentifier => TdsValue::Uuid(Uuid::from_bytes_le(exact(bytes)?)),
        TdsType::Date => TdsValue::Date(read_date(bytes)?),
        TdsType::Time(scale) => TdsValue::Time(read_time(bytes, scale)?),
        TdsType::DateTime2(scale) => TdsValue::DateTime(read_datetime2(bytes, scale)?),
        TdsType::DateTimeOffset(scale) => TdsValue::DateTimeOffset(read_datetime_offset(bytes, scale)?),
        TdsType::DateTime => TdsValue::DateTime(read_datetime(&mut Cursor::new(bytes))?),
        TdsType::Decimal { scale, .. } => read_decimal(bytes, scale)?,
        _ => return Err(malformed(WHAT)),
    })
}

fn read_decimal(bytes: &[u8], scale: u8) -> Result<TdsValue, Malformed> {
    let (sign, digits) = bytes.split_first().ok_or(malformed(WHAT))?;
    if digits.len() > 16 {
        return Err(malformed(WHAT));
    }
    let mut padded = [0; 16];
    padded[..digits.len()].copy_from_slice(digits);
    let magnitude = i128::try_from(u128::from_le_bytes(padded)).map_err(|_| malformed(WHAT))?;
    Ok(TdsValue::Decimal { unscaled: if *sign == 0 { -magnitude } else { magnitude }, scale })
}
