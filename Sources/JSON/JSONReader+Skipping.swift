/// Reading past a value in one loop.
extension JSONReader {
    /// The offset after the next value, or nil if it is not valid or deeper than 64 levels. Nothing is consumed.
    ///
    /// It accepts exactly what `skip(_:)` for each value in it would accept, without a call for each of them. Finding
    /// the error in a value that is not valid is left to the other functions.
    func endOfValue() -> Int? {
        var place = offset
        var level = 0
        // A stack with a bit for each open container, the innermost in bit 0: whether it is an object.
        var objects: UInt64 = 0
        elements: while true {
            place = afterWhitespace(from: place)
            if objects & 1 == 1 {
                guard let end = endOfString(at: place) else { return nil }
                place = afterWhitespace(from: end)
                guard place < count, base[place] == UInt8(ascii: ":") else { return nil }
                place = afterWhitespace(from: place &+ 1)
            }
            guard place < count else { return nil }
            switch base[place] {
            case UInt8(ascii: "\""):
                guard let end = endOfString(at: place) else { return nil }
                place = end
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = base[place] == UInt8(ascii: "{")
                guard level < 64, hasRoom(forLevels: level + 1) else { return nil }
                level &+= 1
                objects = objects << 1 | (isObject ? 1 : 0)
                place = afterWhitespace(from: place &+ 1)
                guard place < count else { return nil }
                guard base[place] == UInt8(ascii: isObject ? "}" : "]") else { continue elements }
                place &+= 1
                level &-= 1
                objects >>= 1
            default:
                guard let end = endOfNumberOrWord(at: place) else { return nil }
                place = end
            }
            while level > 0 {
                place = afterWhitespace(from: place)
                guard place < count else { return nil }
                if base[place] == UInt8(ascii: ",") {
                    place &+= 1
                    continue elements
                }
                guard base[place] == UInt8(ascii: objects & 1 == 1 ? "}" : "]") else { return nil }
                place &+= 1
                level &-= 1
                objects >>= 1
            }
            return place
        }
    }

    /// The offset after the string that starts at `place`; nil if none starts there, or if it is not valid.
    @inline(__always)
    private func endOfString(at place: Int) -> Int? {
        guard place < count, base[place] == UInt8(ascii: "\"") else { return nil }
        let end = UnsafeRawBufferPointer(start: base, count: count).endOfPlainBytes(from: place &+ 1)
        guard end < count, base[end] == UInt8(ascii: "\"") else { return endInSteps(at: place) }
        return end &+ 1
    }

    /// The offset after a number or a word; nil if it is not valid.
    @inline(__always)
    private func endOfNumberOrWord(at place: Int) -> Int? {
        // Most numbers are a few digits.
        var end = place
        while end < count, base[end] &- UInt8(ascii: "0") <= 9 { end &+= 1 }
        if end > place, base[place] != UInt8(ascii: "0"), end < count, Self.endsNumber(base[end]) { return end }
        return endInSteps(at: place)
    }

    /// The offset after any string, number or word at `place`; nil if it is not valid.
    @inline(never)
    private func endInSteps(at place: Int) -> Int? {
        var reader = self
        reader.offset = place
        do throws(JSONError) {
            if base[place] == UInt8(ascii: "\"") { _ = try reader.text() } else { try reader.skipScalar() }
            return reader.offset
        } catch {
            return nil
        }
    }
}
