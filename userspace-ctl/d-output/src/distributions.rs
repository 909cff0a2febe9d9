// SPDX-License-Identifier: GPL-2.0-only
//! quantize(), lquantize() and llquantize(): what their words count, and which rows are shown.
//!
//! llquantize() is Oracle's, which counts negative values, too: what is beyond all of them, their
//! levels from the farthest on, what is nearer to 0 than the lowest level, the levels of positive
//! values, what is beyond all of them.
#![forbid(unsafe_code)]

use crate::values::Malformed;

/// Words of quantize().
pub const QUANTIZE_WORDS: usize = 127;
/// Where quantize() counts 0.
const ZERO: usize = 63;

/// Beyond all values: where a level begins that none can meet.
const FARTHEST: u128 = 1 << 64;

/// A row of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// As it is shown.
    pub label: String,
    /// The lowest value that counts here; nothing: however low.
    pub low: Option<i128>,
    /// The highest; nothing: however high.
    pub high: Option<i128>,
    /// How many, or their weight.
    pub count: i64,
}

/// lquantize()'s parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear {
    base: i64,
    step: i64,
    levels: usize,
}

/// llquantize()'s parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLinear {
    factor: u128,
    low: u32,
    high: u32,
    steps: u128,
}

/// The lowest value, or for negative ones the highest, of quantize()'s bucket.
pub fn quantize_value(bucket: usize) -> i64 {
    match bucket {
        ..ZERO => -(1_i64 << (ZERO - 1 - bucket).min(62)),
        ZERO => 0,
        _ => 1_i64 << (bucket - ZERO - 1).min(62),
    }
}

fn count(words: &[u64], at: usize) -> i64 {
    words.get(at).copied().unwrap_or(0) as i64
}

/// The sum of values and their weights, as far as it can be had.
fn weighed(values: impl Iterator<Item = (i128, i64)>) -> i128 {
    values.fold(0, |sum: i128, (value, weight)| {
        sum.saturating_add(value.saturating_mul(weight.into()))
    })
}

/// The first and the last word that is not 0.
fn used(words: &[u64]) -> Option<(usize, usize)> {
    let first = words.iter().position(|&word| word != 0)?;
    let last = words.iter().rposition(|&word| word != 0)?;
    Some((first, last))
}

/// quantize()'s rows: those with a count, one more on either side, and those between.
pub fn quantize(words: &[u64]) -> Vec<Row> {
    let (first, last) = match used(words) {
        Some((first, last)) => (first.saturating_sub(1), (last + 1).min(QUANTIZE_WORDS - 1)),
        None => (ZERO - 1, ZERO + 1),
    };
    let row = |bucket: usize| {
        let value = i128::from(quantize_value(bucket));
        let (low, high) = match bucket {
            0 => (None, Some(value)),
            1..ZERO => (Some(2 * value + 1), Some(value)),
            ZERO => (Some(0), Some(0)),
            _ if bucket + 1 == QUANTIZE_WORDS => (Some(value), None),
            _ => (Some(value), Some(2 * value - 1)),
        };
        Row {
            label: value.to_string(),
            low,
            high,
            count: count(words, bucket),
        }
    };
    (first..=last).map(row).collect()
}

/// The buckets that a packed distribution shows, if these are the first and last used of all.
pub fn quantize_range(minimum: usize, maximum: usize) -> (usize, usize) {
    let first = match minimum {
        0 | ZERO => minimum,
        _ => minimum - 1,
    };
    (first, (maximum + 1).min(QUANTIZE_WORDS - 1))
}

/// The first and last used bucket, for a packed distribution.
pub fn quantize_used(words: &[u64]) -> (usize, usize) {
    used(words).unwrap_or((ZERO, ZERO))
}

/// What decides about order. Of a distribution it takes long to tell.
pub type Weight = (i128, i64);

/// What decides about order: the values' sum, then how many are 0.
pub fn quantize_weight(words: &[u64]) -> Weight {
    let sum = weighed(
        (0..QUANTIZE_WORDS)
            .map(|bucket| (i128::from(quantize_value(bucket)), count(words, bucket))),
    );
    (sum, count(words, ZERO))
}

impl Linear {
    /// As the ABI has them: base, step, levels.
    pub fn new(parameters: &[u64; 4]) -> Result<Self, Malformed> {
        let what = Malformed::new("valid lquantize()");
        let [base, step, levels, _] = *parameters;
        let levels = usize::try_from(levels).or(Err(what))?;
        if levels == 0 || levels > 1 << 20 || step == 0 || step as i64 <= 0 {
            return Err(what);
        }
        Ok(Self {
            base: base as i64,
            step: step as i64,
            levels,
        })
    }

    /// Words of data.
    pub fn words(&self) -> usize {
        self.levels + 2
    }

    /// Where a level begins; the level behind the last is where "above" begins.
    fn start(&self, level: usize) -> i128 {
        i128::from(self.base) + i128::from(self.step) * level as i128
    }

    /// `< base`
    pub fn below(&self) -> String {
        format!("< {}", self.base)
    }

    /// `>= limit`
    pub fn above(&self) -> String {
        format!(">= {}", self.start(self.levels))
    }

    fn row(&self, words: &[u64], word: usize) -> Row {
        let (label, low, high) = if word == 0 {
            (self.below(), None, Some(self.start(0) - 1))
        } else if word == self.levels + 1 {
            (self.above(), Some(self.start(self.levels)), None)
        } else {
            let start = self.start(word - 1);
            (start.to_string(), Some(start), Some(self.start(word) - 1))
        };
        Row {
            label,
            low,
            high,
            count: count(words, word),
        }
    }

    /// Its rows: those with a count, one more on either side, and those between.
    pub fn rows(&self, words: &[u64]) -> Vec<Row> {
        let (first, last) = match used(words) {
            Some((first, last)) => (first.saturating_sub(1), (last + 1).min(self.levels + 1)),
            None => (0, 2),
        };
        (first..=last).map(|word| self.row(words, word)).collect()
    }

    /// What decides about order: the values' sum, then how many are 0.
    pub fn weight(&self, words: &[u64]) -> Weight {
        let start = |word: usize| match word {
            0 => self.start(0) - 1,
            _ if word == self.levels + 1 => self.start(self.levels) + 1,
            _ => self.start(word - 1),
        };
        let all = 0..self.words();
        let sum = weighed(all.clone().map(|word| (start(word), count(words, word))));
        let zero = all.into_iter().find(|&word| start(word) == 0);
        (sum, zero.map_or(0, |word| count(words, word)))
    }
}

impl LogLinear {
    /// As the ABI has them: factor, low magnitude, high magnitude, steps.
    pub fn new(parameters: &[u64; 4]) -> Result<Self, Malformed> {
        let [factor, low, high, steps] = *parameters;
        let narrow = |n: u64| u32::try_from(n).ok().filter(|&n| n < 64);
        match (narrow(low), narrow(high)) {
            (Some(low), Some(high))
                if low <= high
                    && (2..1 << 16).contains(&factor)
                    && (1..1 << 16).contains(&steps) =>
            {
                Ok(Self {
                    factor: factor.into(),
                    low,
                    high,
                    steps: steps.into(),
                })
            }
            _ => Err(Malformed::new("valid llquantize()")),
        }
    }

    fn power(&self, exponent: u32) -> u128 {
        self.factor.saturating_pow(exponent).min(FARTHEST)
    }

    /// Levels on one side of 0.
    fn side(&self) -> usize {
        let ranges = (self.high - self.low + 1) as usize;
        ranges * (self.steps - self.steps / self.factor) as usize
    }

    /// Where levels begin, by the level's number, from 1; the last is where "above"
    /// begins. Some levels cannot be met and begin nowhere: with more steps than the factor,
    /// those between whole numbers below the factor.
    fn starts(&self) -> Vec<Option<u128>> {
        let mut starts = vec![None; self.side() + 2];
        let mut put = |level: usize, start: u128| {
            if let Some(place) = starts.get_mut(level) {
                *place = Some(start.min(FARTHEST));
            }
        };
        let skipped = (self.steps / self.factor) as usize;
        put(1, self.power(self.low));
        let (mut level, mut magnitude) = (1, self.low);
        if self.low == 0 && self.steps > self.factor {
            for step in 2..=self.factor {
                level += skipped;
                put(level, step);
            }
            magnitude = 1;
        }
        let mut scale = self.power(magnitude + 1) / self.steps;
        for _ in magnitude..=self.high {
            for step in skipped as u128 + 1..=self.steps {
                level += 1;
                put(level, step.saturating_mul(scale));
            }
            scale = scale.saturating_mul(self.factor);
        }
        starts
    }

    /// Words of data.
    pub fn words(&self) -> usize {
        2 * self.side() + 3
    }

    /// Its rows: those with a count, one more on either side, and those between.
    pub fn rows(&self, words: &[u64]) -> Vec<Row> {
        let (middle, end) = (self.side() + 1, self.words() - 1);
        let (first, last) = used(words).unwrap_or((middle + 1, middle + 1));
        let (first, last) = (first.saturating_sub(1), (last + 1).min(end));
        let starts = self.starts();
        let start = |level: usize| starts.get(level).copied().flatten();
        let lowest = self.power(self.low);
        let bounds = |word: usize| -> Option<(String, Option<i128>, Option<i128>)> {
            let next = |level: usize| {
                let behind = (level + 1..starts.len()).find_map(start);
                behind.map(|start| start as i128 - 1)
            };
            let near = lowest as i128 - 1;
            Some(match word.cmp(&middle) {
                std::cmp::Ordering::Equal if lowest == 1 => ("0".into(), Some(0), Some(0)),
                std::cmp::Ordering::Equal if first >= middle => {
                    (format!("< {lowest}"), Some(-near), Some(near))
                }
                std::cmp::Ordering::Equal => (format!("abs() < {lowest}"), Some(-near), Some(near)),
                std::cmp::Ordering::Less => {
                    let start = start(middle - word)?;
                    match word {
                        0 => (format!("<= -{start}"), None, Some(-(start as i128))),
                        _ => (
                            format!("-{start}"),
                            next(middle - word).map(|high| -high),
                            Some(-(start as i128)),
                        ),
                    }
                }
                std::cmp::Ordering::Greater => {
                    let start = start(word - middle)?;
                    match word == end {
                        true => (format!(">= {start}"), Some(start as i128), None),
                        false => (start.to_string(), Some(start as i128), next(word - middle)),
                    }
                }
            })
        };
        // A first or last row that no value can meet borrows the name of the next one beyond.
        let reach = match self.low == 0 && self.steps > self.factor {
            true => (self.steps / self.factor) as usize,
            false => 0,
        };
        let named = |word: usize| {
            bounds(word).or_else(|| {
                let beyond = 1..reach;
                if word == first {
                    beyond
                        .into_iter()
                        .find_map(|by| bounds(word.checked_sub(by)?))
                } else if word == last {
                    beyond.into_iter().find_map(|by| bounds(word + by))
                } else {
                    None
                }
            })
        };
        (first..=last)
            .filter_map(|word| {
                let (label, low, high) = named(word)?;
                Some(Row {
                    label,
                    low,
                    high,
                    count: count(words, word),
                })
            })
            .collect()
    }

    /// What decides about order: the values' sum, then how many are nearer to 0 than the levels.
    pub fn weight(&self, words: &[u64]) -> Weight {
        let middle = self.side() + 1;
        let starts = self.starts();
        let sum = weighed((starts.iter().enumerate()).flat_map(|(level, start)| {
            let start = start.map_or(0, |start| start as i128);
            let below = middle.checked_sub(level);
            let below = below.map_or(0, |word| count(words, word));
            [(start, count(words, middle + level)), (-start, below)]
        }));
        (sum, count(words, middle))
    }
}
