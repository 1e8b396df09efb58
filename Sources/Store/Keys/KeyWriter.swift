/// A buffer in which a key is built, so that its array is allocated once, or not at all.
package struct KeyWriter {
    /// Large enough for the maximum bytes of all components. A component that exceeds its maximum stops the program.
    private let memory: UnsafeMutableRawBufferPointer
    private var count = 0

    /// Spare capacity for the prefix that the key space puts before a key. It is enough for the names of most
    /// collections and their indexes.
    private static let prefixRoom = 40

    /// The bytes of a key, at most `max`, as `write` appends them.
    package static func bytes(max: Int, _ write: (inout KeyWriter) -> Void) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: max, alignment: 1) { memory in
            var writer = KeyWriter(memory: memory)
            write(&writer)
            let bytes = UnsafeRawBufferPointer(rebasing: memory[..<writer.count])
            return [UInt8](unsafeUninitializedCapacity: bytes.count + prefixRoom) { array, count in
                UnsafeMutableRawBufferPointer(array).copyMemory(from: bytes)
                count = bytes.count
            }
        }
    }

    /// The bytes of the key so far.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    init(memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    /// Appends a byte.
    package mutating func append(_ byte: UInt8) {
        precondition(count < memory.count)
        memory[count] = byte
        count += 1
    }

    /// Appends bytes.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= memory.count - count)
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Appends bytes.
    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends `count` bytes that `write` fills in.
    package mutating func append(_ count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
        precondition(count <= memory.count - self.count)
        write(UnsafeMutableRawBufferPointer(rebasing: memory[self.count..<self.count + count]))
        self.count += count
    }
}
