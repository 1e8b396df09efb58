import CLibrary

/// The targets by name. The environment variable `FUZZ_TARGET` chooses one for the process.
private let targets: [String: @Sendable ([UInt8]) -> Void] = [
    "scanner": { Scanner.run($0) },
    "framing": { FramingTarget.run($0) },
    "envelope": { EnvelopeTarget.run($0) },
    "requests": { RequestsTarget.run($0) },
    "journal": { JournalTarget.run($0) },
    "base": { BaseTarget.run($0) },
    "hashes": { HashesTarget.run($0) },
    "import": { ImportTarget.run($0) },
]

private let chosen: @Sendable ([UInt8]) -> Void = {
    guard let name = getenv("FUZZ_TARGET").map({ String(cString: $0) }), let target = targets[name] else {
        fail("FUZZ_TARGET must be one of \(targets.keys.sorted().joined(separator: ", "))")
    }
    return target
}()

/// libFuzzer's entry point: runs the target on one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen(Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}

/// Aborts the process, so that libFuzzer keeps the input.
func fail(_ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line) -> Never {
    let text = "PROPERTY BROKEN \(file):\(line): \(message())\n"
    _ = text.withCString { write(2, $0, strlen($0)) }
    abort()
}

/// Checks a property of the tested code.
func hold(
    _ condition: Bool,
    _ message: @autoclosure () -> String,
    file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition { fail(message(), file: file, line: line) }
}

/// The value of a call that must not throw, because its input is intact.
func must<Value>(_ body: () throws -> Value, file: StaticString = #fileID, line: UInt = #line) -> Value {
    do {
        return try body()
    } catch {
        fail("\(error)", file: file, line: line)
    }
}

/// Bytes as text for a message.
func shown(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: Array(bytes.prefix(2_000)), as: UTF8.self)
}
