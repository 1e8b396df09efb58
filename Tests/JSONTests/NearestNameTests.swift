import JSON
import Testing

/// Suggestions for misspelt names.
struct NearestNameTests {
    private static let methods = [
        "operators.signin", "operators.signout", "operators.register", "care.user.view", "sales.user.me",
    ]
    private static let rows: [(String, String?)] = [
        ("operators.signIn", "operators.signin"), ("operators.sign_in", "operators.signin"),
        ("operators_signout", "operators.signout"), ("operator.register", "operators.register"),
        ("operators.regsiter", "operators.register"), ("care.users.view", "care.user.view"),
        ("frobnicate", nil), ("", nil), (String(repeating: "operators.signin", count: 10_000), nil),
    ]

    @Test(arguments: rows.indices)
    func findsTheNearestName(_ row: Int) {
        let (name, nearest) = Self.rows[row]
        #expect(NearestName.of(name, among: Self.methods) == nearest)
    }

    @Test func countsATranspositionAsOneStep() {
        #expect(NearestName.of("prot", among: ["part", "port"]) == "port")
        #expect(NearestName.of("ab", among: ["ba"]) == "ba")
        #expect(NearestName.of("ab", among: ["cd"]) == nil)
    }

    @Test func writesAHintOnlyForANearName() {
        #expect(NearestName.hint(for: "emial", among: ["email", "password"]) == " (did you mean email?)")
        #expect(NearestName.hint(for: "x", among: ["email", "password"]).isEmpty)
    }

    /// A message that repeated an unknown name was once as long as the name.
    @Test func shortensALongName() {
        #expect("email".shortened == "email")
        let longest = String(repeating: "x", count: NearestName.bytesMax)
        #expect(longest.shortened == longest)
        #expect((longest + "x").shortened == "xxxxxxxxxxxxxxxx…")
        // A character of many scalars counts by its scalars.
        let marks = "e" + String(repeating: "\u{301}", count: 100_000)
        #expect(marks.shortened.unicodeScalars.count == 17)
    }

    @Test func comparesPropertyNamesByTheirBytes() {
        var names = PropertyNames()
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        #expect(composed == decomposed)
        #expect(names.insert(composed) && names.insert(decomposed) && !names.insert(composed))
    }
}
