//! Random transactions on the schema `t.ovsschema`. Rows are inserted under given UUIDs, so that
//! the same transactions can be sent to two servers and their answers compared.

use uuid::Uuid;

/// A small generator of pseudo-random numbers (xorshift64*): the same seed, the same test.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

/// The UUIDs that rows of one table are inserted under.
const POOL: u64 = 6;

pub(super) fn uuid(table: char, n: u64) -> Uuid {
    Uuid::from_u128((u128::from(table as u32) << 96) | u128::from(n + 1))
}

/// Makes transactions.
pub(super) struct Generator {
    pub(super) random: Random,
    /// Some of the values are to be bad.
    bad: bool,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), bad: true }
    }

    /// One of the good values or, when bad ones are wanted, of the bad ones.
    fn value_of<'a>(&mut self, good: &[&'a str], bad: &[&'a str]) -> &'a str {
        let n = good.len() + if self.bad { bad.len() } else { 0 };
        let i = self.random.below(n as u64) as usize;
        good.get(i).or_else(|| bad.get(i - good.len())).unwrap()
    }

    fn some_uuid(&mut self, table: char) -> String {
        let n = self.random.below(POOL);
        format!(r#"["uuid","{}"]"#, uuid(table, n))
    }

    fn set(&mut self, max: u64, mut element: impl FnMut(&mut Self) -> String) -> String {
        let n = self.random.below(max + 1);
        let mut elements: Vec<String> = (0..n).map(|_| element(self)).collect();
        if !self.bad || self.random.below(10) > 0 {
            elements.sort();
            elements.dedup();
        }
        format!(r#"["set",[{}]]"#, elements.join(","))
    }

    fn map(&mut self, mut value: impl FnMut(&mut Self) -> String) -> String {
        let n = self.random.below(4);
        let mut keys: Vec<String> =
            (0..n).map(|_| format!("\"{}\"", self.random.pick(&["a", "b", "c", "x y"]))).collect();
        keys.sort();
        if !self.bad || self.random.below(10) > 0 {
            keys.dedup();
        }
        let pairs: Vec<String> =
            keys.into_iter().map(|key| format!("[{key},{}]", value(self))).collect();
        format!(r#"["map",[{}]]"#, pairs.join(","))
    }

    fn value(&mut self, column: &str) -> String {
        match column {
            "i" => self.random.below(30).to_string(),
            "ep" => self.random.below(4).to_string(),
            "r" => self.random.pick(&["0", "1.5", "-2.25", "1e3"]).to_owned(),
            "b" => self.random.pick(&["true", "false"]).to_owned(),
            "s" if self.random.below(4) > 0 => format!("\"s{}\"", self.random.below(30)),
            "s" => format!("\"{}\"", self.random.pick(&["", "p", "q", "r"])),
            "im" | "n" => format!("\"{}\"", self.random.pick(&["", "x", "é"])),
            "u" => self.some_uuid('A'),
            "si" => self.set(4, |g| g.random.below(6).to_string()),
            "s3" => self.set(3 + u64::from(self.bad), |g| g.random.below(6).to_string()),
            "ss" => self.set(3, |g| format!("\"{}\"", g.random.pick(&["k", "l", "m n"]))),
            "oi" => self.set(1, |g| g.random.below(4).to_string()),
            "m" => self.map(|g| format!("\"{}\"", g.random.pick(&["1", "2", ""]))),
            "mi" => self.map(|g| g.random.below(3).to_string()),
            "e" => self.value_of(&["\"x\"", "\"y z\"", "[\"set\",[]]"], &["\"zz\""]).to_owned(),
            "rng" if self.bad => self.set(3, |g| g.random.below(12).to_string()),
            "rng" => self.set(3, |g| (1 + g.random.below(10)).to_string()),
            "mn" => self.value_of(&["-3", "7"], &["-4"]).to_owned(),
            "mx" => self.value_of(&["5", "-100"], &["6"]).to_owned(),
            "rr" => self.value_of(&["0.5", "2"], &["2.5"]).to_owned(),
            "len" => self.value_of(&["\"ab\"", "\"éééé\""], &["\"a\"", "\"abcde\""]).to_owned(),
            "st" | "c" if self.random.below(3) > 0 => "[\"set\",[]]".to_owned(),
            "st" | "c" => self.set(2, |g| g.some_uuid('B')),
            "wk" => self.set(3, |g| g.some_uuid('A')),
            "w" if self.bad => self.set(3, |g| g.some_uuid('A')),
            "w" => self.some_uuid('A'),
            "wk1" => self.map(|g| g.some_uuid('B')),
            _ => self.random.pick(&["5", "null", "[]", "\"x\""]).to_owned(),
        }
    }

    fn column(&mut self, table: char) -> &'static str {
        match table {
            'A' => self.random.pick(&[
                "i", "ep", "r", "b", "s", "im", "u", "si", "s3", "ss", "oi", "m", "mi", "e", "rng",
                "mn", "mx", "rr", "len", "st", "st", "wk", "wk", "wk1", "nope",
            ]),
            'B' => self.random.pick(&["n", "c", "c"]),
            _ => self.random.pick(&["w", "w", "zz"]),
        }
    }

    fn row(&mut self, table: char, columns: u64) -> String {
        let n = self.random.below(columns) + 1;
        let mut names: Vec<&str> = (0..n).map(|_| self.column(table)).collect();
        names.sort_unstable();
        names.dedup();
        // Which of several bad columns is complained of depends on the server: at most one.
        self.bad = self.random.below(6) == 0;
        if names.len() > 1 || !self.bad {
            names.retain(|name| !matches!(*name, "nope" | "zz"));
            self.bad = false;
        }
        let members: Vec<String> =
            names.into_iter().map(|name| format!("\"{name}\":{}", self.value(name))).collect();
        self.bad = self.random.below(3) == 0;
        format!("{{{}}}", members.join(","))
    }

    fn condition(&mut self, table: char) -> String {
        match self.random.below(16) {
            0 => "[]".to_owned(),
            1 => self.value_of(&["[true]", "[false]"], &["[5]"]).to_owned(),
            2..=11 => format!(r#"[["_uuid","==",{}]]"#, self.some_uuid(table)),
            _ => {
                let column = self.column(table);
                let function =
                    self.random.pick(&["==", "!=", "includes", "excludes", "<", "<=", ">", ">="]);
                format!(r#"[["{column}","{function}",{}]]"#, self.value(column))
            }
        }
    }

    fn mutation(&mut self, table: char) -> String {
        let column = self.column(table);
        let fitting: &[&str] = match column {
            _ if self.random.below(6) == 0 => &["insert", "delete", "+=", "-=", "*=", "/=", "%="],
            "i" | "ep" | "mn" | "mx" => &["+=", "-=", "*=", "/=", "%="],
            "r" | "rr" => &["+=", "-=", "*=", "/="],
            _ => &["insert", "delete"],
        };
        let mutator = self.random.pick(fitting);
        let arg = match mutator {
            "insert" | "delete" => self.value(column),
            _ => self.random.pick(&["0", "1", "2", "-1", "1.5", "\"x\""]).to_owned(),
        };
        format!(r#"["{column}","{mutator}",{arg}]"#)
    }

    fn operation(&mut self) -> String {
        let table = ['A', 'A', 'A', 'B', 'B', 'C'][self.random.below(6) as usize];
        match self.random.below(14) {
            0..=4 => {
                let n = self.random.below(POOL);
                let mut row = self.row(table, 5);
                if table == 'A' && self.random.below(8) > 0 {
                    // Both are in indexes.
                    for (name, value) in
                        [("i", self.random.below(40)), ("s", self.random.below(40))]
                    {
                        if !row.contains(&format!("\"{name}\":")) {
                            let quote = if name == "s" { "\"" } else { "" };
                            row = row.replacen(
                                '{',
                                &format!("{{\"{name}\":{quote}{value}{quote},"),
                                1,
                            );
                        }
                    }
                }
                let row = row.replace(",}", "}");
                let name = match self.random.below(4) {
                    0 => format!(r#","uuid-name":"x{}""#, self.random.below(2)),
                    _ => String::new(),
                };
                format!(
                    r#"{{"op":"insert","table":"{table}","uuid":"{}","row":{row}{name}}}"#,
                    uuid(table, n)
                )
            }
            5..=7 => {
                let (condition, row) = (self.condition(table), self.row(table, 3));
                format!(r#"{{"op":"update","table":"{table}","where":{condition},"row":{row}}}"#)
            }
            8..=9 => {
                let condition = self.condition(table);
                let mutations: Vec<String> =
                    (0..1 + self.random.below(2)).map(|_| self.mutation(table)).collect();
                format!(
                    r#"{{"op":"mutate","table":"{table}","where":{condition},"mutations":[{}]}}"#,
                    mutations.join(",")
                )
            }
            10..=11 => {
                let condition = self.condition(table);
                format!(r#"{{"op":"delete","table":"{table}","where":{condition}}}"#)
            }
            12 => {
                let condition = self.condition(table);
                format!(
                    r#"{{"op":"select","table":"{table}","where":{condition},"columns":[{}]}}"#,
                    match table {
                        'A' => r#""_uuid","i","s","si","m","st","wk","wk1""#,
                        'B' => r#""n","c""#,
                        _ => r#""_uuid","w""#,
                    }
                )
            }
            _ => {
                let condition = self.condition('A');
                let until = self.random.pick(&["==", "!="]);
                let i = self.random.below(4);
                format!(
                    r#"{{"op":"wait","table":"A","timeout":0,"where":{condition},"columns":["i"],
                        "until":"{until}","rows":[{{"i":{i}}}]}}"#
                )
            }
        }
    }

    /// A new row of `B` and a row of `A` that refers to it.
    fn pair(&mut self) -> String {
        let (a, b) = (uuid('A', self.random.below(POOL)), uuid('B', self.random.below(POOL)));
        let mutator = self.random.pick(&["insert", "insert", "delete"]);
        format!(
            r#"{{"op":"insert","table":"B","uuid":"{b}","row":{{"n":"x"}}}},
               {{"op":"mutate","table":"A","where":[["_uuid","==",["uuid","{a}"]]],
                "mutations":[["st","{mutator}",["uuid","{b}"]]]}}"#
        )
    }

    /// The parameters of a `transact` request.
    pub(super) fn transaction(&mut self) -> String {
        let n = [1, 1, 1, 2, 3][self.random.below(5) as usize];
        let operations: Vec<String> = (0..n)
            .map(|_| if self.random.below(5) == 0 { self.pair() } else { self.operation() })
            .collect();
        format!(r#"["t",{}]"#, operations.join(","))
    }
}
