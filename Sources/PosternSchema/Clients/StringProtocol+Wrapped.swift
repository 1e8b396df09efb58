extension StringProtocol {
    /// The text in lines of at most `length` characters, broken between words; one empty line for an empty text.
    func wrapped(to length: Int) -> [String] {
        split(separator: " ").reduce(into: [""]) { lines, word in
            let last = lines.removeLast()
            let fits = last.isEmpty || last.count + 1 + word.count <= length
            lines += fits ? [last.isEmpty ? String(word) : "\(last) \(word)"] : [last, String(word)]
        }
    }
}
