internal import Synchronization
internal import Platform

/// What a merge starts from: a state of the store that no longer changes.
///
/// Safe to send: a key space is a value, and the bytes of the values in it never change; what they were decoded to is
/// touched by nobody who merges.
struct MergeSource: @unchecked Sendable {
    let directory: Directory
    let manifest: Manifest
    let settings: StoreSettings
    let space: LayeredSpace
    /// Where the journal was read to.
    let replay: JournalReplay
}

/// Merges the journal of a directory into a new base, beside all who use the directory.
///
/// The new base takes in what the store held when the merge began; a new journal begins with the erasable values of that
/// time, which are never in a base, and then has all that was written since. The files are written and synced without
/// the lock. It is held at the end alone, for as long as a few syncs take: to carry over the last transactions, to rename
/// the manifest, and to remove the files that it no longer names.
///
/// Whatever goes wrong before the manifest is renamed, the old one stands, and the new files are removed, by the next opener
/// where need be. What goes wrong afterwards leaves both epochs' files, and is for the next opener to settle.
final class Merge: Sendable {
    /// How a merge ended.
    enum Outcome: Sendable {
        case done(PreparedEpoch)
        /// Another process is merging, or has merged.
        case skipped
        case cancelled
        case failed(StoreError)
    }

    private struct State {
        var outcome: Outcome?
        var isCancelled = false
    }

    private let state = Mutex(State())

    /// Merges on a thread of its own.
    func start(_ source: MergeSource) {
        let isStarted = Thread.start { [self] in
            Thread.lowerPriority()
            run(source)
        }
        // Without a thread to be had the journal grows on until there is one.
        if !isStarted { state.withLock { $0.outcome = .skipped } }
    }

    /// Merges, and waits for it.
    ///
    /// - Parameter progress: called now and then with how many entries the new base has so far.
    @discardableResult
    func run(_ source: MergeSource, progress: (Int) -> Void = { _ in }) -> Outcome {
        let outcome = outcome(of: source, progress: progress)
        state.withLock { $0.outcome = outcome }
        return outcome
    }

    private func outcome(of source: MergeSource, progress: (Int) -> Void) -> Outcome {
        do throws(StoreError) {
            let merging = try DirectoryLock(
                DirectoryLock.mergingFileName,
                in: source.directory,
                readOnly: false,
                calls: source.settings.calls
            )
            guard try merging.takeIfFree() else { return .skipped }
            defer { merging.release() }
            // Where another has merged since the source was read, the next epoch's files are the current ones. From here
            // on nobody else can.
            let files = StoreFiles(
                directory: source.directory,
                calls: source.settings.calls,
                personal: source.settings.personalCollections
            )
            guard try files.manifest()?.0 == source.manifest else { return .skipped }
            var epoch = try NextEpoch(after: source, files)
            do throws(StoreError) {
                try epoch.writeBase { entries in
                    progress(entries)
                    return !isCancelled
                }
                guard !isCancelled else {
                    epoch.removeFiles()
                    return .cancelled
                }
                guard let prepared = try epoch.takeOver(goOn: { !isCancelled }) else {
                    epoch.removeFiles()
                    return .cancelled
                }
                return .done(prepared)
            } catch {
                epoch.removeFiles()
                throw error
            }
        } catch {
            return .failed(error)
        }
    }

    /// How it ended; nil while it goes on.
    var outcome: Outcome? { state.withLock { $0.outcome } }

    /// Gives the merge up, unless it is about to be done, and waits for its end.
    func cancel() {
        state.withLock { $0.isCancelled = true }
        wait()
    }

    /// Waits for its end.
    func wait(milliseconds: Int = .max) {
        var waited = 0
        while outcome == nil, waited < milliseconds {
            Thread.sleep(microseconds: 1_000)
            waited += 1
        }
    }

    private var isCancelled: Bool { state.withLock { $0.isCancelled } }
}
