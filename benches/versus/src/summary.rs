//! A line of a plot in words.

/// Its fastest and its slowest point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    best: (f64, f64),
    worst: (f64, f64),
}

impl Shape {
    /// Of points with rates in millions a second; none without points.
    pub(crate) fn of(points: &[(f64, f64)]) -> Option<Self> {
        let by = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let (best, worst) = (points.iter().max_by(by)?, points.iter().min_by(by)?);
        Some(Self { best: *best, worst: *worst })
    }

    fn ratio(&self) -> f64 {
        self.best.1 / self.worst.1
    }

    /// With `tick`'s names of the points.
    pub(crate) fn text(&self, tick: &dyn Fn(f64) -> String) -> String {
        let ((best, fast), (worst, slow)) = (self.best, self.worst);
        let digits = if slow < 0.1 { 4 } else { 2 };
        let (best, worst) = (tick(best), tick(worst));
        format!("{fast:.2} Mpps at {best}, {slow:.digits$} at {worst}: {:.1} times", self.ratio())
    }

    /// Is there no cliff of more than `most` times?
    pub(crate) fn goal(&self, most: f64) -> String {
        let met = if self.ratio() <= most { "met" } else { "missed" };
        format!("; no cliff within {most}: {met}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_and_the_slowest_point_are_named() {
        let shape = Shape::of(&[(1.0, 40.0), (10.0, 8.0), (100.0, 20.0)]).unwrap();
        assert_eq!(shape.text(&|x| x.to_string()), "40.00 Mpps at 1, 8.00 at 10: 5.0 times");
        assert!(shape.goal(4.0).ends_with("missed") && shape.goal(5.0).ends_with("met"));
        assert_eq!(Shape::of(&[]), None);
    }
}
