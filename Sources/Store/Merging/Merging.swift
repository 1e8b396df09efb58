internal import Platform

/// Sees to it that the journal of a directory is merged into its base when it has grown long.
final class Merging {
    private let directory: StoreDirectory
    private let settings: StoreSettings
    private let log: (String) -> Void
    private var merge: Merge?
    /// After a failure, the length of the journal at which to try again.
    private var retryBytes = 0
    /// After a failure, when to try again for the sake of deleted personal data, by the monotonic clock.
    private var retryMilliseconds = 0
    /// Whether the log has said that there is no room.
    private var hasWarnedOfRoom = false

    init(of directory: StoreDirectory, settings: StoreSettings, log: @escaping (String) -> Void) {
        (self.directory, self.settings, self.log) = (directory, settings, log)
        directory.merging = self
    }

    /// Starts a merge where the journal has outgrown its bounds, and takes note of how the last one ended. Nothing may be
    /// staged.
    func startIfDue(_ space: LayeredSpace) {
        takeOutcome()
        guard merge == nil, isDue else { return }
        do throws(StoreError) {
            guard try hasRoom(), let source = try directory.mergeSource(space) else { return }
            let merge = Merge()
            self.merge = merge
            merge.start(source)
        } catch {
            log("the journal cannot be merged: \(error)")
        }
    }

    /// Merges now, whatever the journal's length, and waits for it.
    ///
    /// - Returns: false where another process is merging.
    func mergeNow(_ space: LayeredSpace, progress: (Int) -> Void) throws(StoreError) -> Bool {
        merge?.cancel()
        takeOutcome()
        let room = try directory.roomToMerge()
        guard room.free >= room.needed else { throw .diskFull }
        guard let source = try directory.mergeSource(space) else { throw .readOnly }
        let merge = Merge()
        self.merge = merge
        switch merge.run(source, progress: progress) {
        case .done: return true
        case .skipped, .cancelled:
            self.merge = nil
            return false
        case .failed(let error):
            self.merge = nil
            throw error
        }
    }

    /// Ends what is under way. A merge that is overdue is waited for: where only short-lived processes use a directory,
    /// it would never be done otherwise.
    func close() {
        guard let merge else { return }
        if newBytes >= 2 * dueBytes || isErasureDue { merge.wait() } else { merge.cancel() }
        takeOutcome()
    }

    private var isDue: Bool {
        if newBytes >= dueBytes, directory.journal.length >= retryBytes { return true }
        return isErasureDue && MonotonicClock.milliseconds >= retryMilliseconds
    }

    /// Whether personal data that were deleted are still in the files, and the last merge is long enough ago.
    private var isErasureDue: Bool {
        directory.journal.hasPersonalDeletions && directory.epochSeconds >= settings.erasureSeconds
    }

    /// What the journal has grown by since its epoch began. It began with what a merge cannot put into a base, so that
    /// another merge would not make it shorter.
    private var newBytes: Int { directory.journal.length - directory.manifest.journalBytesSafe }

    private var dueBytes: Int {
        let kept = (directory.manifest.segment?.bytes ?? 0) + directory.manifest.journalBytesSafe
        return max(settings.mergedJournalBytesMin, kept / Limits.mergedBasePart)
    }

    /// Whether the new files find room beside the old ones. If not, the log says so once, and it is tried again when the
    /// journal has grown on.
    private func hasRoom() throws(StoreError) -> Bool {
        let room = try directory.roomToMerge()
        if room.free >= room.needed {
            hasWarnedOfRoom = false
            return true
        }
        retryLater()
        if !hasWarnedOfRoom {
            log("the journal is not merged: that takes \(room.needed) bytes, and the disk has \(room.free) left")
        }
        hasWarnedOfRoom = true
        return false
    }

    private func retryLater() {
        retryBytes = directory.journal.length + dueBytes / 4
        retryMilliseconds = MonotonicClock.milliseconds + settings.erasureSeconds * 1_000
    }

    private func takeOutcome() {
        guard let outcome = merge?.outcome else { return }
        if case .failed(let error) = outcome {
            log("the journal could not be merged into the base, and grows on: \(error)")
        }
        if case .done(let prepared) = outcome, prepared.manifest.epoch > directory.manifest.epoch {
            // It is fetched with the next look at the manifest.
            return
        }
        merge = nil
        retryLater()
    }

    /// Whether a merge of this process goes on, or has just installed a manifest.
    var isUnderWay: Bool { merge != nil }

    /// The state behind a manifest, if a merge of this process has installed it.
    func takePrepared(for manifest: Manifest) -> PreparedEpoch? {
        // The manifest may be seen a moment before the merge's thread has said that it is done.
        merge?.wait(milliseconds: 100)
        guard case .done(let prepared) = merge?.outcome, prepared.manifest == manifest else { return nil }
        merge = nil
        (retryBytes, retryMilliseconds) = (0, 0)
        return prepared
    }
}
