//! Throughput and latency against the offered load, as SVG.

use super::report::Point;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use std::ops::Range;
use std::path::Path;

/// Width and height in pixels.
const SIZE: (u32, u32) = (900, 760);
/// Family and height in pixels.
const FONT: (&str, u32) = ("sans-serif", 18);

/// What a line shows, in which colour, and which figure that is.
type Series = (&'static str, RGBColor, fn(&Point) -> f64);

const THROUGHPUT: [Series; 2] = [
    ("offered", RGBColor(150, 150, 150), |point| point.offered),
    ("answered 200", BLUE, |point| point.run.per_second),
];
const LATENCY: [Series; 2] = [
    ("p50", BLUE, |point| point.run.p50_ms),
    ("p99", RED, |point| point.run.p99_ms),
];

/// Draws the curve.
pub(crate) fn draw(file: &Path, curve: &[Point]) -> anyhow::Result<()> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let (upper, lower) = area.split_vertically(SIZE.1 / 2);
    let (_, per_second) = span(curve, &THROUGHPUT);
    let title = "enrolments per second, against those offered";
    chart(&upper, title, 0.0..per_second, curve, &THROUGHPUT)?;
    let (least, most) = span(curve, &LATENCY);
    let title = "latency in ms from when a request was due, against enrolments offered per second";
    chart(&lower, title, (least..most).log_scale(), curve, &LATENCY)?;
    area.present()?;
    Ok(())
}

/// The lowest and the highest value, with room around them.
fn span(curve: &[Point], series: &[Series]) -> (f64, f64) {
    let values = series
        .iter()
        .flat_map(|(_, _, figure)| curve.iter().map(*figure));
    let (low, high) = values.fold((f64::MAX, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    (low * 0.8, high * 1.1)
}

fn chart<Y>(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    range: Y,
    curve: &[Point],
    series: &[Series],
) -> anyhow::Result<()>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let offered: Range<f64> = 0.0..span(curve, &THROUGHPUT).1;
    let mut chart = ChartBuilder::on(area)
        .caption(title, FONT)
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(60)
        .build_cartesian_2d(offered, range)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .draw()?;
    for (name, colour, figure) in series.iter().copied() {
        let points = curve.iter().map(|point| (point.offered, figure(point)));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    Ok(())
}
