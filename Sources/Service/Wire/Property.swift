/// A property that an object of params may have.
struct Property {
    let name: String
    /// The properties within it, where it is an object itself.
    let properties: [Property]

    init(_ name: String, _ properties: [Property] = []) {
        self.name = name
        self.properties = properties
    }
}
