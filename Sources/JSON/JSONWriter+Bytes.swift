/// The bytes behind what is written: their memory, and the comma that is due.
extension JSONWriter {
    /// The end of what is written, where there is room for what comes next.
    struct End {
        var place: UnsafeMutableRawPointer

        @inline(__always)
        mutating func put(_ byte: UInt8) {
            place.storeBytes(of: byte, as: UInt8.self)
            place += 1
        }

        @inline(__always)
        mutating func put(_ text: UnsafeRawBufferPointer) {
            // There is no address where there are no bytes.
            guard let start = text.baseAddress else { return }
            place.copyMemory(from: start, byteCount: text.count)
            place += text.count
        }

        @inline(__always)
        mutating func put(_ count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
            write(UnsafeMutableRawBufferPointer(start: place, count: count))
            place += count
        }
    }

    /// Writes the comma that is due, and behind it what `write` puts: at most so many bytes.
    @inline(__always)
    mutating func write(bytesMax: Int, _ write: (inout End) -> Void) {
        makeRoom(for: bytesMax + 1)
        // Where there is room there is memory.
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

    /// Moves to memory twice as large, at least, so that what is written is moved a bounded number of times a byte.
    @inline(never)
    mutating func grow(by more: Int) {
        if count + more > countMax {
            overrun()
            if memory.count - count >= more { return }
        }
        // Room past the bound is for nothing, except what a single piece needs.
        move(toCapacity: max(min(2 * memory.count, max(countMax, 64)), count + more, 64))
    }

    mutating func move(toCapacity capacity: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        memory.deallocate()
        memory = larger
    }
}
