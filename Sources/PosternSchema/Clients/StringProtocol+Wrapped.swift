extension StringProtocol {
    /// The text in lines of at most so many characters, broken between words; one empty line for no text.
    func wrapped(to length: Int) -> [String] {
        split(separator: " ").reduce(into: [""]) { lines, word in
            let last = lines.removeLast()
            let fits = last.isEmpty || last.count + 1 + word.count <= length
            lines += fits ? [last.isEmpty ? String(word) : "\(last) \(word)"] : [last, String(word)]
        }
    }
}
