//! A plot with two logarithmic axes, as SVG that is readable on light and dark pages.

use std::error::Error;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use plotters::prelude::*;

use crate::error::{RunError, Step as _};

const SIZE: (u32, u32) = (760, 460);
/// Text and axes; on dark pages another colour takes its place.
const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const DARK: &str = "<style>@media (prefers-color-scheme: dark) {\
     [fill=\"#1F2328\"] { fill: #E6EDF3 } [stroke=\"#1F2328\"] { stroke: #E6EDF3 } }</style>\n";
/// Lines of the grid; between white and black.
const GRID: RGBColor = RGBColor(0x80, 0x80, 0x80);
/// One a side, readable on both.
pub(crate) const COLOURS: [RGBColor; 2] = [RGBColor(0x2a, 0x7f, 0xd4), RGBColor(0xe0, 0x6c, 0x10)];

/// A line with its points.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    /// For the legend, if it is to be there.
    pub(crate) name: Option<String>,
    pub(crate) colour: RGBColor,
    pub(crate) points: Vec<(f64, f64)>,
}

/// All of a plot.
pub(crate) struct Picture<'a> {
    pub(crate) title: &'a str,
    pub(crate) x_axis: &'a str,
    pub(crate) y_axis: &'a str,
    /// Below the plot.
    pub(crate) note: &'a str,
    pub(crate) tick: &'a dyn Fn(f64) -> String,
    pub(crate) curves: &'a [Curve],
}

/// Writes it.
pub(crate) fn write(path: &Path, picture: &Picture<'_>) -> Result<(), RunError> {
    let what = || format!("drawing {}", path.display());
    let text = svg(picture).map_err(|e| io::Error::other(e.to_string())).step(what())?;
    fs::write(path, text).step(what())
}

fn svg(picture: &Picture<'_>) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        let font = |size: i32| ("sans-serif", size).into_font().color(&INK);
        let (plot, note) = root.titled(picture.title, font(22))?.split_vertically(SIZE.1 - 56);
        note.draw(&Text::new(picture.note, (16, 4), font(15)))?;
        let all = || picture.curves.iter().flat_map(|c| c.points.iter().copied());
        let mut chart = ChartBuilder::on(&plot)
            .margin(8)
            .margin_right(20)
            .x_label_area_size(46)
            .y_label_area_size(66)
            .build_cartesian_2d(
                decades(all().map(|p| p.0)).log_scale(),
                decades(all().map(|p| p.1)).log_scale(),
            )?;
        chart
            .configure_mesh()
            .x_desc(picture.x_axis)
            .y_desc(picture.y_axis)
            .x_label_formatter(&|x| (picture.tick)(rounded(*x)))
            .y_label_formatter(&|y| rounded(*y).to_string())
            .label_style(font(16))
            .axis_desc_style(font(17))
            .axis_style(INK)
            .bold_line_style(GRID.mix(0.4))
            .light_line_style(GRID.mix(0.12))
            .draw()?;
        for curve in picture.curves {
            let named = curve.name.is_some();
            let style = curve.colour.stroke_width(if named { 3 } else { 1 }).filled();
            let points = curve.points.iter().copied();
            let line = LineSeries::new(points, style).point_size(if named { 4 } else { 3 });
            let drawn = chart.draw_series(line)?;
            if let Some(name) = &curve.name {
                let sample = move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style);
                drawn.label(name).legend(sample);
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .label_font(font(17))
            .border_style(GRID.mix(0.4))
            .draw()?;
        root.present()?;
    }
    // After the opening tag.
    let head = text.find(">\n").map_or(0, |i| i + 2);
    text.insert_str(head, DARK);
    Ok(text)
}

/// Whole powers of ten around the numbers.
fn decades(numbers: impl Iterator<Item = f64>) -> Range<f64> {
    let positive = numbers.filter(|n| *n > 0.0);
    let (low, high) = positive.fold((f64::MAX, 0.0), |(l, h), n| (n.min(l), n.max(h)));
    if high == 0.0 {
        return 1.0..10.0;
    }
    let (low, high) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    // A little more, so that rounding leaves neither end without its tick.
    10f64.powi(low) * (1.0 - 1e-9)..10f64.powi(high.max(low + 1)) * (1.0 + 1e-9)
}

/// Without what rounding added to a tick.
fn rounded(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_whole_decades() {
        let whole = |numbers: &[f64]| {
            let range = decades(numbers.iter().copied());
            (rounded(range.start), rounded(range.end))
        };
        assert_eq!(whole(&[0.3, 41.0]), (0.1, 100.0));
        assert_eq!(whole(&[1.0]), (1.0, 10.0));
        assert_eq!(whole(&[0.0]), (1.0, 10.0));
    }

    #[test]
    fn a_plot_has_its_labels_and_colours_for_dark_pages() {
        let curve = Curve {
            name: Some("Weir".into()),
            colour: COLOURS[0],
            points: vec![(1.0, 40.0), (1e3, 30.0)],
        };
        let picture = Picture {
            title: "Flows",
            x_axis: "flows",
            y_axis: "million packets a second",
            note: "a note",
            tick: &|x| format!("{x}"),
            curves: &[curve],
        };
        let text = svg(&picture).unwrap();
        for part in ["Flows", "Weir", "million packets", "a note", "#2A7FD4", "color-scheme: dark"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.contains("fill=\"#1F2328\""));
    }

    #[test]
    fn both_ends_of_an_axis_have_ticks() {
        let points = vec![(0.01, 0.03), (100.0, 4.0)];
        let curves = [Curve { name: None, colour: COLOURS[0], points }];
        let picture = Picture {
            title: "",
            x_axis: "",
            y_axis: "",
            note: "",
            tick: &|x| format!("x{x}"),
            curves: &curves,
        };
        let text = svg(&picture).unwrap();
        for tick in ["x0.01", "x0.1", "x1", "x10", "x100", "0.01", "0.1", "1", "10"] {
            assert!(text.contains(&format!("\n{tick}\n")), "{tick} in {text}");
        }
    }
}
