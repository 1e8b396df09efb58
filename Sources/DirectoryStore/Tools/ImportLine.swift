internal import JSON
import Store

/// A line of an export.
enum ImportLine {
    case blank
    case about(form: Int?)
    case end
    case counter(name: String, value: Int?)
    /// A record's JSON, as a slice of the line's bytes.
    case record(collection: String, UnsafeRawBufferPointer)

    /// Why a line cannot be read.
    struct Fault: Error {
        let reason: String
    }

    /// Reads a line, with or without its line feed. The line must stay in memory while its record is used.
    init(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        if bytes.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) {
            self = .blank
            return
        }
        var properties = Properties()
        do throws(JSONError) {
            var reader = JSONReader(bytes)
            try properties.read(from: &reader)
            try reader.finish()
        } catch {
            throw Fault(reason: "not JSON: \(error.explanation) at byte \(error.offset)")
        }
        if let name = properties.double { throw Fault(reason: "the property \(name.shortened) occurs twice") }
        if properties.isEnd {
            self = .end
        } else if properties.isAbout {
            self = .about(form: properties.form)
        } else if let name = properties.counter {
            self = .counter(name: name, value: properties.value)
        } else if let collection = properties.collection, let record = properties.record {
            self = .record(collection: collection, record)
        } else {
            throw Fault(reason: "this is neither a counter with its value nor a record with its collection")
        }
    }

    /// The properties of a line's object.
    private struct Properties {
        var isEnd = false
        var isAbout = false
        var form: Int?
        var counter: String?
        var value: Int?
        var collection: String?
        var record: UnsafeRawBufferPointer?
        /// The name of the first property that the line has twice.
        var double: String?

        /// The known names that were read, one bit each, and all other names.
        private var seen: UInt8 = 0
        private var others = PropertyNames()

        /// The names with a meaning.
        private enum Name: UInt8 {
            case end, export, counter, value, collection, record, other

            init(_ text: JSONText) {
                if text.equals("record") {
                    self = .record
                } else if text.equals("collection") {
                    self = .collection
                } else if text.equals("counter") {
                    self = .counter
                } else if text.equals("value") {
                    self = .value
                } else if text.equals("end") {
                    self = .end
                } else {
                    self = text.equals("export") ? .export : .other
                }
            }
        }

        /// Records a property's name. Returns false if the name was read before.
        private mutating func insert(_ name: Name, _ text: JSONText) -> Bool {
            guard name != .other else { return others.insert(text.string) }
            let bit: UInt8 = 1 << name.rawValue
            defer { seen |= bit }
            return seen & bit == 0
        }

        mutating func read(from reader: inout JSONReader) throws(JSONError) {
            guard try reader.kind() == .object else { return try reader.skip() }
            try reader.beginObject()
            while let text = try reader.nextProperty() {
                let name = Name(text)
                if !insert(name, text), double == nil { double = text.string }
                switch (name, try reader.kind()) {
                case (.end, .bool): isEnd = try reader.bool()
                case (.counter, .string): counter = try reader.text().string
                case (.value, .number): value = try reader.number().int
                case (.collection, .string): collection = try reader.text().string
                case (.record, _): record = try reader.raw()
                case (.export, let kind):
                    isAbout = true
                    if kind == .number { form = try reader.number().int } else { try reader.skip() }
                default: try reader.skip()
                }
            }
        }
    }
}
