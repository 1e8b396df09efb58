internal import Platform
import Store

/// How many bytes of the journal are written and how many are synced, shared by all processes of a directory.
///
/// A sync takes a hundred times as long as a write, and includes everything that other processes have written before
/// it. So one process at a time syncs for all of them. The others wait for its end, and most of them find that their
/// own lines were included.
///
/// The marks are five words of the file `lock.sync`, in memory that the processes share. A lock on that file is held
/// during a sync. Each of the first two words has an epoch and a number of bytes of its journal:
///
/// - *written*: stored after a complete write by the process that holds the directory lock. The write is never undone
///   after that.
/// - *synced*: the value of *written* before a sync that succeeded. A sync that took long does not lower it.
/// - The third word counts syncs, and wakes the processes that wait for one.
/// - The fourth word counts losses: if a sync fails, the system may drop lines that another process has written and
///   still waits to have synced. Then a process that takes the directory lock finds the journal shorter than *written*
///   says, and writes its lines in the place of the lost ones. The sync of these must not pass for one of the others.
/// - The fifth word counts failed syncs, and cuts of the journal's end. Until a sync, bytes that were cut off may come
///   back after a power cut, so a process syncs the journal before it writes to it again.
///
/// If the file is replaced by another one, processes no longer see each other's syncs, and make their own.
///
/// After a crash of the system the words may be greater than the length of the journal. Every process that opens the
/// directory stores the true values under the directory lock before it uses the words. They reach the disk at some time
/// later. So the file is synced before a new epoch starts: after two power cuts, the disk could otherwise have words
/// that belong to a lost epoch with the same number.
final class SyncMarks {
    static let fileName = "lock.sync"

    /// Held during a sync. Nothing checks that its file keeps its name: if the file is replaced, the processes make
    /// their own syncs.
    private let syncLock: FileLock
    private let words: any SharedWords
    private static let count = 5
    private static let bytes = count * 8
    /// The indexes of the words.
    private static let (written, synced, syncs, lostLines, failedSyncs) = (0, 1, 2, 3, 4)
    /// The value of the sync counter when a wait for a sync timed out. While the counter has this value, the process
    /// does not wait.
    private var syncsAtTimeout: UInt64?
    /// The bits above these have the epoch.
    private static let lengthBits: UInt64 = 44

    init(in directory: Directory, calls: any SystemCalls) throws(StoreError) {
        let file = try File(Self.fileName, in: directory, .creating, calls: calls)
        syncLock = FileLock(on: file, calls: calls)
        // A file shorter than its mapping would kill the process that accesses the mapping. So would a hole in the file
        // that is filled when the disk is full.
        let bytes = try file.status().bytes
        if bytes < Self.bytes { try file.write([UInt8](repeating: 0, count: Self.bytes - bytes), at: bytes) }
        do throws(SystemError) {
            words = try file.shareWords(count: Self.count)
        } catch {
            throw .failed("mmap \(Self.fileName)", error)
        }
    }

    /// How many bytes of an epoch's journal were synced according to the file, for a process that opens the directory;
    /// 0 if the file has no value for that epoch.
    ///
    /// The value is stored after the sync, so the journal has these bytes even after a crash of the system, unless
    /// another program has cut it or the disk has not kept them.
    static func synced(in directory: Directory, epoch: Int, calls: any SystemCalls) throws(StoreError) -> Int {
        let file: File
        do throws(StoreError) {
            file = try File(fileName, in: directory, .reading, calls: calls)
        } catch  where error.isMissingFile || error.isRefusedWriting {
            return 0
        }
        let contents = try file.contents(from: 0, upTo: bytes)
        guard contents.count >= (Self.synced + 1) * 8 else { return 0 }
        let word = contents.withUnsafeBytes { $0.load(fromByteOffset: Self.synced * 8, as: UInt64.self) }
        return length(of: word, epoch)
    }

    /// Makes the words durable, in place of older ones. The directory lock must be held.
    static func makeDurable(in directory: Directory, calls: any SystemCalls) throws(StoreError) {
        do throws(StoreError) {
            try File(fileName, in: directory, .reading, calls: calls).sync()
        } catch  where error.isMissingFile || error.isRefusedWriting {
            // No process has stored words, or none can read them.
        }
    }

    /// Stores the length of a journal that this process has read completely, and how much of it is durable. The
    /// directory lock must be held.
    func reset(epoch: Int, length: Int, durable: Int) {
        noteLosses(epoch: epoch, behind: length)
        words.store(Self.word(epoch, length), in: Self.written)
        words.store(Self.word(epoch, durable), in: Self.synced)
    }

    /// Counts a loss if processes have written more of an epoch's journal than it has. The directory lock must be held.
    ///
    /// - Parameter length: the length of the journal, which this process has read completely.
    func noteLosses(epoch: Int, behind length: Int) {
        if written(epoch: epoch) > length { words.increment(Self.lostLines) }
    }

    /// How many times lines were lost. A process that waits for a sync compares it with the value when it wrote or read
    /// its last line with the directory lock held.
    var losses: UInt64 { words.load(Self.lostLines) }

    /// Counts a sync of the journal that has failed.
    func noteFailedSync() { words.increment(Self.failedSyncs) }

    /// Counts a cut of the journal's end, before it is made.
    func noteCut() { words.increment(Self.failedSyncs) }

    /// How many syncs have failed, and how many cuts there were.
    var failures: UInt64 { words.load(Self.failedSyncs) }

    /// Stores the length of the journal after a write. The directory lock must be held.
    func noteWritten(epoch: Int, length: Int) {
        words.store(Self.word(epoch, length), in: Self.written)
    }

    /// The length of an epoch's journal, without room, according to its processes.
    func written(epoch: Int) -> Int { length(Self.written, epoch) }

    /// How many bytes of an epoch's journal are known to be durable.
    func synced(epoch: Int) -> Int { length(Self.synced, epoch) }

    /// Makes the first `length` bytes of an epoch's journal durable, with a sync of this process or of another one.
    ///
    /// - Parameter sync: syncs the journal's file.
    /// - Returns: how many bytes are durable.
    /// - Throws: what `sync` throws.
    func sync(epoch: Int, length: Int, _ sync: () throws(StoreError) -> Void) throws(StoreError) -> Int {
        var patience = Limits.syncWaitMilliseconds
        while true {
            let syncs = words.load(Self.syncs)
            let synced = synced(epoch: epoch)
            if synced >= length { return synced }
            if try syncLock.takeIfFree() { break }
            // A process that hangs in its sync must not block the syncs of the others.
            guard patience > 0, syncs != syncsAtTimeout else {
                syncsAtTimeout = syncs
                try sync()
                noteSynced(epoch: epoch, length: length)
                return length
            }
            // A process that dies during a sync wakes no other, so the wait has a timeout.
            words.wait(
                for: Self.syncs,
                while: UInt32(truncatingIfNeeded: syncs),
                milliseconds: Self.waitMilliseconds
            )
            patience -= Self.waitMilliseconds
        }
        defer {
            // The lock is released first, because a process that wakes may have to sync next.
            syncLock.release()
            words.increment(Self.syncs)
            words.wake(Self.syncs)
        }
        // The sync may miss bytes that are written after this line.
        let written = max(length, written(epoch: epoch))
        try sync()
        noteSynced(epoch: epoch, length: written)
        return written
    }

    /// Stores the length of the journal before a sync that has succeeded, unless another process has stored a greater
    /// one, or one of a later epoch, in the meantime. A process whose own sync has failed would not notice otherwise
    /// that others have acknowledged the same lines.
    private func noteSynced(epoch: Int, length: Int) {
        let word = Self.word(epoch, length)
        var current = words.load(Self.synced)
        // The epoch is in the high bits. The difference is right even if the tag of the epoch has overflowed.
        while Int64(bitPattern: word &- current) > 0 {
            if words.exchange(current, with: word, in: Self.synced) { return }
            current = words.load(Self.synced)
        }
    }

    /// How long to wait before checking again whether the sync is still running.
    private static let waitMilliseconds = 5

    /// The number of bytes in a word; 0 if the word belongs to another epoch.
    private func length(_ word: Int, _ epoch: Int) -> Int {
        Self.length(of: words.load(word), epoch)
    }

    private static func length(of word: UInt64, _ epoch: Int) -> Int {
        word >> lengthBits == tag(epoch) ? Int(word & (1 << lengthBits - 1)) : 0
    }

    private static func word(_ epoch: Int, _ length: Int) -> UInt64 {
        tag(epoch) << lengthBits | UInt64(length)
    }

    /// The low bits of an epoch, as many as fit. Two epochs with the same tag are a million compactions apart.
    private static func tag(_ epoch: Int) -> UInt64 { UInt64(epoch) & (1 << (64 - lengthBits) - 1) }
}

extension StoreError {
    /// The error for a journal that ends with a whole line, but before the bytes that were synced.
    static func lostEnd(of manifest: Manifest, at length: Int, _ synced: Int) -> StoreError {
        .damaged(
            file: manifest.journal,
            offset: length,
            reason: "it ends before byte \(synced), up to which it was synced; "
                + "postern salvage copies the remaining records"
        )
    }
}
