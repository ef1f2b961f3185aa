//! OVS's number rules. A number that is integral once its exponent is applied *is* an integer
//! (`1.0`, `1e3`); zero has no sign; reals print like C's `%.15g`.

use crate::value::Json;

/// Converts the text of a JSON number.
///
/// # Errors
/// What is wrong with it, in OVS's words.
pub fn parse(text: &str) -> Result<Json, &'static str> {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).filter(|c| c.is_ascii_digit()).map(|c| u64::from(c - b'0'));
    let mut i = 0;
    let negative = bytes.first() == Some(&b'-');
    if negative {
        i += 1;
    }

    // value = significand * 10^pow10, exactly, unless `lost` says that digits fell off its end.
    let mut significand: u64 = 0;
    let mut pow10: i64 = 0;
    let mut lost = false;
    let room = u64::MAX / 10;

    match digit(i) {
        None => return Err("'-' must be followed by digit"),
        Some(0) => {
            i += 1;
            if digit(i).is_some() {
                return Err("leading zeros not allowed");
            }
        }
        Some(_) => {
            while let Some(d) = digit(i) {
                // One below the limit keeps `significand * 10 + 9` inside 64 bits.
                if significand < room {
                    significand = significand * 10 + d;
                } else {
                    pow10 += 1;
                    lost |= d != 0;
                }
                i += 1;
            }
        }
    }

    if bytes.get(i) == Some(&b'.') {
        i += 1;
        if digit(i).is_none() {
            return Err("decimal point must be followed by digit");
        }
        while let Some(d) = digit(i) {
            if significand < room {
                significand = significand * 10 + d;
                pow10 -= 1;
            } else {
                lost |= d != 0;
            }
            i += 1;
        }
    }

    if matches!(bytes.get(i), Some(b'e' | b'E')) {
        i += 1;
        let mut down = false;
        if let Some(sign @ (b'+' | b'-')) = bytes.get(i) {
            down = *sign == b'-';
            i += 1;
        }
        if digit(i).is_none() {
            return Err("exponent must contain at least one digit");
        }
        let mut exponent: i64 = 0;
        while let Some(d) = digit(i) {
            if exponent >= i64::from(i32::MAX) / 10 {
                return Err("exponent outside valid range");
            }
            exponent = exponent * 10 + d as i64;
            i += 1;
        }
        pow10 += if down { -exponent } else { exponent };
    }

    if i != bytes.len() {
        return Err("syntax error in number");
    }
    if significand == 0 {
        return Ok(Json::Int(0));
    }
    if !lost && let Some(int) = integral(significand, pow10, negative) {
        return Ok(Json::Int(int));
    }
    match text.parse::<f64>() {
        // Too small to tell from zero: zero has no sign.
        Ok(0.0) => Ok(Json::Real(0.0)),
        Ok(real) if real.is_finite() => Ok(Json::Real(real)),
        _ => Err("number outside valid range"),
    }
}

/// The 64-bit integer `significand * 10^pow10`, if it is one.
fn integral(mut significand: u64, mut pow10: i64, negative: bool) -> Option<i64> {
    while pow10 > 0 {
        significand = significand.checked_mul(10)?;
        pow10 -= 1;
    }
    while pow10 < 0 {
        if !significand.is_multiple_of(10) {
            return None;
        }
        significand /= 10;
        pow10 += 1;
    }
    if negative { 0i64.checked_sub_unsigned(significand) } else { i64::try_from(significand).ok() }
}

/// Formats `real` as C's `%.15g` does.
pub fn format_real(real: f64) -> String {
    format_g(real, 15)
}

/// Formats `real` as C's `%.{precision}g` does.
pub fn format_g(real: f64, precision: usize) -> String {
    if real.is_nan() {
        return if real.is_sign_negative() { "-nan".into() } else { "nan".into() };
    }
    if real.is_infinite() {
        return if real < 0.0 { "-inf".into() } else { "inf".into() };
    }
    if real == 0.0 {
        return if real.is_sign_negative() { "-0".into() } else { "0".into() };
    }
    let precision = precision.max(1);
    // `{:e}` rounds to the wanted digits first, which settles the exponent.
    let scientific = format!("{real:.*e}", precision - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= precision as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim_fraction(mantissa), exponent.unsigned_abs())
    } else {
        let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
        trim_fraction(&format!("{real:.decimals$}")).to_owned()
    }
}

fn trim_fraction(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integral_reals_are_integers() {
        for (text, int) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0e7", 0),
            ("1.0", 1),
            ("1e3", 1000),
            ("1234.5e1", 12345),
            ("1230e-1", 123),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9223372036854775.807e3", i64::MAX),
        ] {
            assert_eq!(parse(text), Ok(Json::Int(int)), "{text}");
        }
    }

    #[test]
    fn others_are_reals() {
        for (text, real) in [
            ("0.5", 0.5),
            ("-1.5e-3", -0.0015),
            ("9223372036854775808", 9.223_372_036_854_776e18),
            ("1e20", 1e20),
            ("1e-400", 0.0),
            ("18446744073709551616", 1.8446744073709552e19),
        ] {
            assert_eq!(parse(text), Ok(Json::Real(real)), "{text}");
        }
    }

    #[test]
    fn errors() {
        for (text, error) in [
            ("-", "'-' must be followed by digit"),
            ("01", "leading zeros not allowed"),
            ("1.", "decimal point must be followed by digit"),
            ("1e", "exponent must contain at least one digit"),
            ("1e+", "exponent must contain at least one digit"),
            ("1e99999999999", "exponent outside valid range"),
            ("1e500", "number outside valid range"),
            ("1-2", "syntax error in number"),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn prints_like_percent_15_g() {
        for (real, text) in [
            (0.1, "0.1"),
            (1.0 / 3.0, "0.333333333333333"),
            (1e15, "1e+15"),
            (123456789012345.0, "123456789012345"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (-2.5e100, "-2.5e+100"),
            (999999999999999.9, "1e+15"),
            (99999999999999.95, "100000000000000"),
            (0.00009999999999999999, "0.0001"),
            (1e300 * 10.0, "1e+301"),
        ] {
            assert_eq!(format_real(real), text);
        }
    }

    proptest! {
        #[test]
        fn any_integer_round_trips(i in any::<i64>()) {
            prop_assert_eq!(parse(&i.to_string()), Ok(Json::Int(i)));
        }

        #[test]
        fn printed_reals_parse_close_by(r in proptest::num::f64::NORMAL) {
            let back = parse(&format_real(r)).ok().and_then(|j| j.as_real());
            // Rounding the largest doubles to 15 digits may pass the range.
            if let Some(back) = back {
                prop_assert!((back - r).abs() <= r.abs() * 1e-14);
            } else {
                prop_assert!(r.abs() > 1.79e308);
            }
        }
    }
}
