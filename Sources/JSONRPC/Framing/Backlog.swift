/// The frames that were read and not taken yet.
struct Backlog {
    /// The frames of one read, and the index of the next one to take.
    private struct Piece {
        let chunk: Chunk
        let frames: [Frame]
        var place = 0
    }

    private var pieces: [Piece] = []

    var isEmpty: Bool { pieces.isEmpty }

    var count: Int { pieces.reduce(0) { $0 + $1.frames.count - $1.place } }

    mutating func append(_ frames: [Frame], in chunk: Chunk) {
        if !frames.isEmpty { pieces.append(Piece(chunk: chunk, frames: frames)) }
    }

    /// Removes and returns the oldest frame, with the chunk that contains it; nil if none is left.
    mutating func next() -> (Frame, Chunk)? {
        guard !pieces.isEmpty else { return nil }
        let frame = pieces[0].frames[pieces[0].place]
        let chunk = pieces[0].chunk
        pieces[0].place += 1
        if pieces[0].place == pieces[0].frames.count { pieces.removeFirst() }
        return (frame, chunk)
    }
}
