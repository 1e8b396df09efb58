/// Messages that were read and have not been looked at.
struct Backlog {
    private var pieces: [(chunk: Chunk, frames: ArraySlice<Frame>)] = []

    var isEmpty: Bool { pieces.isEmpty }

    mutating func append(_ frames: [Frame], in chunk: Chunk) {
        if !frames.isEmpty { pieces.append((chunk, frames[...])) }
    }

    /// The message that came first, and the memory that it stands in.
    mutating func next() -> (Frame, Chunk)? {
        guard !pieces.isEmpty, let frame = pieces[0].frames.popFirst() else { return nil }
        let chunk = pieces[0].chunk
        if pieces[0].frames.isEmpty { pieces.removeFirst() }
        return (frame, chunk)
    }
}
