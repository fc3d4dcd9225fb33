/// Names of any kind as the local part of an address (XEP-0106 §4): the ten characters that have no place there, as `\20` and so on.
package enum JIDEscaping {
  private static let escaped: [Character] = [" ", "\"", "&", "'", "/", ":", "<", ">", "@"]

  package static func escape(_ name: String) -> String {
    let characters = Array(name)
    var text = ""
    for (index, character) in characters.enumerated() {
      if escaped.contains(character) {
        text += sequence(character)
      } else if character == "\\", isSequence(characters[index...].prefix(3)) {
        text += sequence(character)
      } else {
        text.append(character)
      }
    }
    return text
  }

  private static func sequence(_ character: Character) -> String {
    let digits = String(character.asciiValue ?? 0, radix: 16)
    return "\\" + digits
  }

  /// Whether a backslash begins what would be read as one of the characters.
  private static func isSequence(_ characters: ArraySlice<Character>) -> Bool {
    let digits = String(characters.dropFirst()).lowercased()
    return (escaped + ["\\"]).contains { String($0.asciiValue ?? 0, radix: 16) == digits }
  }
}
