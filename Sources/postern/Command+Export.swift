import DirectoryStore
import Accounts
import Platform
import Store

extension Command {
    /// Writes all records as lines of JSON.
    func export(_ options: Options) throws(CommandError) {
        let log = Log(level: options.logLevel)
        let remote = try RemoteStore.open(options, log)
        let path = try remote == nil ? directory(options) : options.data
        var settings = options.store
        settings.makesStore = false
        let file = options.paths.first
        // On a terminal the exported lines show the progress.
        let bar = file == nil && FileDescriptor.standardOutput.isTerminal ? nil : ProgressBar()
        defer { bar?.end() }
        do {
            let engine =
                try remote == nil ? LocalEngine(directory: path, settings: settings) { log.write(.warning, $0) } : nil
            defer { engine?.close() }
            let output = try file.map { name throws(CommandError) in try OutputFile(creating: name) } ?? .standardOutput
            if output.isReadableByOthers {
                log.write(
                    .warning,
                    "other users can read the file to which stdout is redirected; postern export FILE creates "
                        + "one that only you can read"
                )
            }
            do {
                if let engine { try Self.export(engine, to: output, bar) }
                try remote?.export(options) { try Self.export($0, to: output, bar) }
            } catch {
                output.discard()
                throw error
            }
        } catch let error as CommandError {
            throw error
        } catch let error as StoreError {
            throw .store(error)
        } catch {
            throw .failed("\(error)")
        }
    }

    private static func export(_ source: any EntrySource, to file: OutputFile, _ bar: ProgressBar?) throws {
        var output: [UInt8] = []
        var lines = 0
        try StoreExport.write(source) { line in
            output += line
            lines += 1
            guard output.count >= pieceBytes else { return }
            try file.write(output)
            bar?.show(ToolProgress(phase: "exporting", done: lines, total: nil))
            output.removeAll(keepingCapacity: true)
        }
        try file.write(output)
        try file.finish()
    }

    /// Creates a store from exported lines.
    func importExport(_ options: Options) throws(CommandError) {
        let remote = try RemoteStore.open(options, Log(level: options.logLevel))
        let path = try remote == nil ? directory(options) : options.data
        let file = try options.paths.first.map { name throws(CommandError) in try InputFile(name) } ?? .standardInput
        let bar = ProgressBar()
        let incoming: StoreImport
        let isDone: Bool
        do {
            defer { bar.end() }
            incoming =
                try remote.map { try StoreImport(to: $0.makeDestination) }
                ?? StoreImport(RecordTypes.all, to: path, settings: options.store)
            try Self.readLines(of: file, into: incoming, bar)
            let newKey = { SystemRandom().hex(bytes: 16) }
            try EarlierForms.markUpdated(incoming.records, newKey: newKey, incoming.addIfAbsent)
            isDone = try incoming.finish(progress: bar.show)
        } catch let error as CommandError {
            throw error
        } catch {
            throw .failed("\(error)")
        }
        guard isDone else {
            for fault in incoming.faults {
                // A property name from the file may contain control characters.
                let line = fault.line.map { "line \($0): \(fault.reason)" } ?? fault.reason
                StandardError.write(line: SystemString(line).description)
            }
            throw .failed("nothing was imported; number of errors: \(incoming.faultCount)")
        }
        print("imported: \(incoming.records) records into \(options.location)")
    }

    /// The number of bytes that are collected before a write.
    private static let pieceBytes = 1 << 20
    /// The number of lines between two updates of the progress bar.
    private static let linesBetweenUpdates = 1_000

    /// Passes each line of a file to an import.
    private static func readLines(of file: InputFile, into incoming: StoreImport, _ bar: ProgressBar) throws {
        var lines = 0
        /// The start of a line whose end has not been read yet.
        var pending: [UInt8] = []
        var isLong = false
        func take(_ line: ArraySlice<UInt8>) throws(StoreError) {
            if isLong || line.count > Limits.exportLineBytesMax {
                incoming.refuseLongLine()
            } else {
                try incoming.take(line)
            }
            isLong = false
            lines += 1
            if lines % linesBetweenUpdates == 0 { bar.show(ToolProgress(phase: "reading", done: lines, total: nil)) }
        }
        while case var piece = try file.read(), !piece.isEmpty {
            while let end = lineEnd(in: piece) {
                if pending.isEmpty {
                    try take(piece[..<end])
                } else {
                    pending += piece[..<end]
                    try take(pending[...])
                    pending.removeAll(keepingCapacity: true)
                }
                piece = piece[(end + 1)...]
            }
            pending += piece
            // Drops the bytes of a line that is too long.
            if pending.count > Limits.exportLineBytesMax {
                isLong = true
                pending.removeAll(keepingCapacity: true)
            }
        }
        if !pending.isEmpty || isLong { try take(pending[...]) }
    }

    /// The index of the first line feed; nil if there is none. The search compares many bytes at a time.
    private static func lineEnd(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { $0.offset(of: 0x0A) }.map { bytes.startIndex + $0 }
    }
}
