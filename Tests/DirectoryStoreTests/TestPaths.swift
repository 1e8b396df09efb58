import Platform

@testable import DirectoryStore
@testable import Store

// Overloads that take paths as strings: paths in tests are UTF-8.

extension Directory {
    convenience init(_ path: String) throws(StoreError) {
        try self.init(SystemString(path))
    }
}

extension StoreDirectory {
    static func open(
        _ path: String,
        settings: StoreSettings,
        log: @escaping (String) -> Void
    ) throws(StoreError) -> (StoreDirectory, LayeredSpace) {
        try open(SystemString(path), settings: settings, log: log)
    }
}

extension StoreCheck {
    static func run(
        _ path: String,
        types: [RecordType],
        settings: StoreSettings = StoreSettings(),
        progress: @escaping (ToolProgress) -> Void
    ) throws(StoreError) -> Report {
        try run(SystemString(path), types: types, settings: settings, progress: progress)
    }
}

extension StoreSalvage {
    static func run(
        _ path: String,
        to destination: String,
        types: [RecordType],
        progress: @escaping (ToolProgress) -> Void
    ) throws(StoreError) -> Report {
        try run(SystemString(path), to: SystemString(destination), types: types, progress: progress)
    }
}

extension StoreImport {
    convenience init(_ types: [RecordType], to path: String) throws(StoreError) {
        try self.init(types, to: SystemString(path))
    }
}

extension LocalEngine {
    func backUp(to path: String, progress: @escaping (ToolProgress) -> Void) throws(StoreError) {
        try backUp(to: SystemString(path), progress: progress)
    }
}
