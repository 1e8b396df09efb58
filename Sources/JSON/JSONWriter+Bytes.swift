/// Appending bytes: growing the memory, and writing the comma before a value.
extension JSONWriter {
    /// The end of the written bytes, with room for more.
    struct End {
        var place: UnsafeMutableRawPointer

        @inline(__always)
        mutating func put(_ byte: UInt8) {
            place.storeBytes(of: byte, as: UInt8.self)
            place += 1
        }

        @inline(__always)
        mutating func put(_ text: UnsafeRawBufferPointer) {
            // The address is nil only if there are no bytes.
            guard let start = text.baseAddress else { return }
            place.copyMemory(from: start, byteCount: text.count)
            place += text.count
        }

        /// Puts the first `count` bytes of a word. There must be room for all eight.
        @inline(__always)
        mutating func put(_ word: UInt64, count: Int) {
            place.storeBytes(of: word, as: UInt64.self)
            place += count
        }

        @inline(__always)
        mutating func put(_ count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
            write(UnsafeMutableRawBufferPointer(start: place, count: count))
            place += count
        }
    }

    /// Writes a comma if one is needed, and then the bytes that `write` puts, at most `bytesMax`.
    @inline(__always)
    mutating func write(bytesMax: Int, _ write: (inout End) -> Void) {
        makeRoom(for: bytesMax + 1)
        // After `makeRoom` the memory is not empty, so it has an address.
        guard let start = memory.baseAddress else { return }
        var end = End(place: start + count)
        if count > 0 {
            switch memory[count - 1] {
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), 0x0A: break
            default: end.put(UInt8(ascii: ","))
            }
        }
        write(&end)
        count = end.place - start
    }

    mutating func begin(_ bracket: UInt8) {
        write(bytesMax: 1) { $0.put(bracket) }
    }

    mutating func append(_ byte: UInt8) {
        makeRoom(for: 1)
        memory[count] = byte
        count += 1
    }

    mutating func append(_ text: UnsafeRawBufferPointer) {
        makeRoom(for: text.count)
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: text)
        count += text.count
    }

    @inline(__always)
    mutating func makeRoom(for more: Int) {
        if memory.count - count < more { grow(by: more) }
    }

    /// Moves to memory of at least twice the size, so that each byte is moved a constant number of times on average.
    @inline(never)
    mutating func grow(by more: Int) {
        if count + more > countMax {
            overrun()
            if memory.count - count >= more { return }
        }
        // Memory past the limit is not needed, except for a single piece.
        move(toCapacity: max(min(2 * memory.count, max(countMax, 64)), count + more, 64))
    }

    mutating func move(toCapacity capacity: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        memory.deallocate()
        memory = larger
    }
}
