import Store

/// The room after the last line.
extension Journal {
    /// Preallocates room after the last line if none is left. On a full disk, lines are appended without it.
    func preallocateRoom() {
        guard length > fileBytes else { return }
        fileBytes = length + Limits.journalRoomBytes
        do throws(StoreError) {
            let room = [UInt8](repeating: JournalRoom.filler, count: Limits.journalRoomBytes)
            try file.write(room, at: length)
        } catch {
            takeBackRoom()
        }
    }

    /// Whether there is room after the last line that this process may remove. After a failed sync it may not.
    var hasRoom: Bool {
        if case .ready = state { fileBytes > length } else { false }
    }

    /// Removes the room. The lock must be held, and all transactions of other processes be read.
    func takeBackRoom() {
        do throws(StoreError) {
            try file.truncate(to: length)
            fileBytes = length
        } catch {
            // Room that stays is harmless: it is read as the end of the journal.
        }
    }

    /// The torn tail of the file, if it has one in the place of the next lines; nil if there is only room.
    ///
    /// A torn tail that starts with a hole looks like room at its first byte. If lines were written over its start and
    /// the disk kept only some of their sectors, the journal could not be read any more.
    ///
    /// - Parameter count: the bytes of the next lines.
    /// - Throws: `StoreError.damaged` if the tail is not torn but damaged.
    func tornTail(inNext count: Int) throws(StoreError) -> [UInt8]? {
        guard fileBytes > length else { return nil }
        let sectorsEnd = (length + count + Limits.sectorBytes - 1) / Limits.sectorBytes * Limits.sectorBytes
        let place = try file.contents(from: length, upTo: min(fileBytes, sectorsEnd))
        guard place.contains(where: { $0 != JournalRoom.filler }) else { return nil }
        let rest = try file.contents(from: length, upTo: fileBytes)
        var (behind, ignored) = (replay, LayeredSpace())
        do throws(StoreError) {
            try rest.withUnsafeBytesTyped { bytes throws(StoreError) in try behind.read(bytes, into: &ignored) }
        } catch {
            throw refuse(error)
        }
        guard behind.length == length else {
            throw refuse(.damaged(file: file.name, offset: length, reason: "another program has written here"))
        }
        return Array(JournalRoom.torn(rest[...]))
    }
}
