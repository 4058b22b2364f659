//! The figures as a picture: what a sync takes as the tenant grows.

use std::fmt::Write;

use crate::Report;
use crate::jobs::Side;
use crate::sync::{Figures, Took};
use crate::table::thousands;

/// Where a panel's plotting area is within it, and how large it is.
const LEFT: f64 = 64.0;
const TOP: f64 = 52.0;
const WIDTH: f64 = 270.0;
const HEIGHT: f64 = 190.0;
/// How far panels are apart.
const PITCH: f64 = 370.0;

/// A line through the sizes of tenants.
struct Line {
    name: &'static str,
    color: &'static str,
    points: Vec<(f64, f64)>,
}

/// A plot of one unit.
struct Panel {
    title: &'static str,
    lines: Vec<Line>,
    /// What must not be exceeded.
    bar: Option<(f64, &'static str)>,
}

/// Draws it.
pub fn svg(report: &Report) -> String {
    let line = |name, color, side, of: fn(&Figures, &Took) -> f64| Line {
        name,
        color,
        points: report
            .sync
            .iter()
            .map(|size| {
                (
                    f64::from(size.accounts),
                    size.rounds.median(side, |took| of(size, took)),
                )
            })
            .collect(),
    };
    let both = |of| {
        vec![
            line("component", "#1a6fb5", Side::Component, of),
            line("native", "#b5651a", Side::Native, of),
        ]
    };
    const MIB: f64 = 1024.0 * 1024.0;
    let panels = [
        Panel {
            title: "time per account, µs",
            lines: both(|size, took| took.wall * 1e6 / f64::from(size.accounts)),
            bar: None,
        },
        Panel {
            title: "guest memory, MiB",
            lines: vec![line("component", "#1a6fb5", Side::Component, |_, took| {
                took.guest_memory as f64 / MIB
            })],
            bar: Some((8.0, "8 MiB")),
        },
        Panel {
            title: "host memory over idle, MiB",
            lines: both(|_, took| took.resident_over_idle as f64 / MIB),
            bar: Some((64.0, "64 MiB")),
        },
    ];
    let (width, height) = (PITCH * panels.len() as f64, TOP + HEIGHT + 60.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (index, panel) in panels.iter().enumerate() {
        svg += &format!("<g transform=\"translate({} 0)\">\n", index as f64 * PITCH);
        panel.draw(&mut svg);
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

impl Panel {
    fn draw(&self, svg: &mut String) {
        let values = self.lines.iter().flat_map(|line| &line.points);
        let most = values
            .map(|(_, value)| *value)
            .chain(self.bar.map(|(bar, _)| bar))
            .fold(0.0, f64::max)
            * 1.1;
        let sizes: Vec<f64> = self.lines[0].points.iter().map(|(size, _)| *size).collect();
        let (first, last) = (sizes[0].log10(), sizes[sizes.len() - 1].log10());
        let x = |size: f64| LEFT + WIDTH * (size.log10() - first) / (last - first).max(1.0);
        let y = |value: f64| TOP + HEIGHT * (1.0 - value / most);
        let mut text = |x: f64, y: f64, anchor: &str, color: &str, text: &str| {
            *svg += &format!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\">{text}</text>\n"
            );
        };
        text(LEFT, 20.0, "start", "#000", self.title);
        for (index, line) in self.lines.iter().enumerate() {
            text(
                LEFT + 90.0 * index as f64,
                38.0,
                "start",
                line.color,
                line.name,
            );
        }
        for size in &sizes {
            text(
                x(*size),
                TOP + HEIGHT + 18.0,
                "middle",
                "#444",
                &thousands(*size as u32),
            );
        }
        text(
            LEFT + WIDTH / 2.0,
            TOP + HEIGHT + 38.0,
            "middle",
            "#444",
            "accounts",
        );
        for step in 0..=4 {
            let value = most * f64::from(step) / 4.0;
            text(
                LEFT - 8.0,
                y(value) + 4.0,
                "end",
                "#444",
                &format!("{value:.1}"),
            );
        }
        if let Some((bar, name)) = self.bar {
            text(LEFT + WIDTH, y(bar) - 5.0, "end", "#a00", name);
        }
        let mut path = |from: (f64, f64), to: (f64, f64), style: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(
                svg,
                "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>",
                from.0, from.1, to.0, to.1
            );
        };
        path((LEFT, TOP), (LEFT, y(0.0)), "stroke=\"#444\"");
        path((LEFT, y(0.0)), (LEFT + WIDTH, y(0.0)), "stroke=\"#444\"");
        if let Some((bar, _)) = self.bar {
            let style = "stroke=\"#a00\" stroke-dasharray=\"4 3\"";
            path((LEFT, y(bar)), (LEFT + WIDTH, y(bar)), style);
        }
        for line in &self.lines {
            let style = format!("stroke=\"{}\" stroke-width=\"2\"", line.color);
            for pair in line.points.windows(2) {
                path(
                    (x(pair[0].0), y(pair[0].1)),
                    (x(pair[1].0), y(pair[1].1)),
                    &style,
                );
            }
        }
    }
}
