/// The arguments of a command, read from the words that the help shows: `list | show ID`, `[FILE]`.
struct ArgumentForms {
    /// The candidates for one argument.
    struct Place {
        /// The number of arguments before it.
        let index: Int
        /// The first argument, which decides what the later ones are; empty for the first one itself.
        let first: [String]
        let candidates: Candidates
    }

    /// The places that have candidates.
    let places: [Place]

    init(_ command: Command) {
        let forms = Self.parts(of: Self.unwrapped(command.words), separator: "|").map { form in
            Self.parts(of: form, separator: " ").map(Self.unwrapped)
        }
        let start = Candidates(oneOf: forms.compactMap(\.first).map(Self.candidates))
        var places = start.isEmpty ? [] : [Place(index: 0, first: [], candidates: start)]
        for index in 1..<max(forms.map(\.count).max() ?? 0, 1) {
            for form in forms where form.count > index {
                let candidates = Self.candidates(form[index])
                guard !candidates.isEmpty else { continue }
                if let same = places.firstIndex(where: { $0.index == index && $0.candidates == candidates }) {
                    let first = places[same].first + [form[0]]
                    places[same] = Place(index: index, first: first, candidates: candidates)
                } else {
                    places.append(Place(index: index, first: [form[0]], candidates: candidates))
                }
            }
        }
        self.places = places
    }

    /// The candidates for a name, such as `list`, or a placeholder. No value that is meant as JSON or a number has any.
    private static func candidates(_ word: String) -> Candidates {
        // A dash, and the name and value of a param, are no names.
        guard word.utf8.allSatisfy({ $0 < 0x80 }), word.count > 1 else { return Candidates(oneOf: []) }
        return Candidates(placeholder: word)
    }

    /// A form without the brackets around all of it.
    private static func unwrapped(_ form: String) -> String {
        form.hasPrefix("[") && form.hasSuffix("]") ? String(form.dropFirst().dropLast()) : form
    }

    /// The parts between separators that are outside of brackets, without spaces around them.
    private static func parts(of form: String, separator: Character) -> [String] {
        var depth = 0
        var parts = [""]
        for character in form {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            if character == separator, depth == 0 {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts.map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }
}
