/// Finds the known name that a misspelt name most likely means.
///
///     NearestName.of("operators.signIn", among: ["operators.signin", "operators.signout"])    → "operators.signin"
///     NearestName.of("--prot", among: ["--port", "--data"])                                  → "--port"
///     NearestName.of("frobnicate", among: ["serve", "call"])                                 → nil
///
/// Names are compared without regard to ASCII case. The word separators `-`, `_`, `.`, `/` and space are equal.
package enum NearestName {
    /// The maximum length. Longer names are not compared, because the work grows with the product of the lengths.
    package static let bytesMax = 64

    /// The candidate at the smallest distance; nil if none is near enough for a useful suggestion. Of equally near
    /// candidates it returns the first.
    package static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let folded = fold(name)
        guard !folded.isEmpty, folded.count <= bytesMax else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let length = candidate.utf8.count
            guard length > 0, length <= bytesMax else { continue }
            // A third of the name may be wrong, and in a short name one letter.
            let distanceMax = min(max(1, max(folded.count, length) / 3), (best?.distance ?? .max) - 1)
            // The distance is at least the difference of the lengths.
            guard abs(folded.count - length) <= distanceMax else { continue }
            let distance = distance(folded, fold(candidate))
            if distance <= distanceMax { best = (candidate, distance) }
        }
        return best?.name
    }

    /// ` (did you mean NAME?)` for the nearest candidate, to append to a message; empty if there is none.
    package static func hint(for name: String, among candidates: some Sequence<String>) -> String {
        of(name, among: candidates).map { " (did you mean \($0)?)" } ?? ""
    }

    private static func fold(_ name: String) -> [UInt8] {
        name.utf8.prefix(bytesMax + 1).map { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: " "): UInt8(ascii: "_")
            default: byte
            }
        }
    }

    /// The Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment), over bytes.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        // Three rows are allocated and used in turn.
        var last = Array(0...right.count)
        var (beforeLast, row) = (last, last)
        for i in 1...left.count {
            row[0] = i
            for j in 1...right.count {
                let isSame = left[i - 1] == right[j - 1]
                row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (isSame ? 0 : 1))
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            (beforeLast, last, row) = (last, row, beforeLast)
        }
        return last[right.count]
    }
}
