import Testing

@testable import Accounts

struct TextRulesTests {
    /// ASCII is examined a word at a time, in which a borrow or a carry reaches the next byte.
    @Test(arguments: [nil, "\u{00}", "\u{1F}", "\u{7F}", " ", "~", "é"] as [Unicode.Scalar?])
    func refusesEachControlCharacterAtEachPlace(behind neighbour: Unicode.Scalar?) {
        for scalar in (0...0x2029).compactMap(Unicode.Scalar.init) where scalar.value < 0x100 || scalar.value > 0x2020 {
            for place in 0..<17 {
                var text = String.UnicodeScalarView(repeating: "a", count: place)
                if let neighbour { text.append(neighbour) }
                text.append(scalar)
                text.append(contentsOf: String.UnicodeScalarView(repeating: "z", count: 9))
                let isPlain = text.allSatisfy {
                    ![.control, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
                }
                #expect(String(text).isPlainLine == isPlain, "\(scalar.value) at \(place)")
            }
        }
    }
}
