# The parts of reading a reply that bash leaves to jq. Each string is written with a NUL behind it. NULs inside a string
# are dropped, because bash variables cannot contain them.
include "types";

def parts: map(split("\u0000") | add // "") | map(. + "\u0000") | add // "";

# A reply in any format, rewritten in the service's format, or the start of a message that the process sends on its own;
# empty if the value is neither.
def as_written:
  if type == "object" and .jsonrpc == "2.0" and (.method | type) == "string" then
    {jsonrpc} + if has("id") then {id} else {} end + {method}
  elif type == "object" and .jsonrpc == "2.0" and has("id") and has("result") != has("error") then
    {jsonrpc, id} + if has("error") then {error} else {result} end
  else empty end;

# The code, message, data, field and retry_after of an error, and its slugs.
def error_parts:
  if (.code | type) == "number" and (.message | type) == "string" then
    . as {$code, $message, $data}
    | (if ($data | type) == "object" then $data else {} end) as $object
    | [$code, $message, (if $data == null then "" else $data | tojson end)]
      + [$object.field // "", $object.retry_after // ""]
      + (if ($object.errors | type) == "array" then $object.errors else [] end)
    | map(tostring) | parts
  else "" end;

# The faults of a value of that type, one string each; empty if the value is valid.
def faults($kind; $path):
  def fault: "\($path | if . == "" then "the result" else . end) is not \($kind)";
  if ($kind | endswith("?")) then
    if . == null then empty else faults($kind[:-1]; $path) end
  elif ($kind | startswith("[")) then
    if type != "array" then fault
    else to_entries[] | .key as $key | .value | faults($kind[1:-1]; "\($path).\($key)") end
  elif $kind == "string" or $kind == "boolean" or $kind == "object" then
    if type == $kind then empty else fault end
  elif $kind == "time" then
    if type == "string" then empty else fault end
  elif $kind == "integer" or $kind == "epoch" then
    if type == "number" and . == floor then empty else fault end
  elif $kind == "nothing" then
    empty
  elif type != "object" then
    fault
  else
    . as $object
    | types[$kind]
    | to_entries[]
    | .value as $inner
    | (.key | rtrimstr("?")) as $name
    | (if $path == "" then $name else "\($path).\($name)" end) as $place
    | (.key | endswith("?")) as $optional
    | $object
    | if has($name) then .[$name] | faults($inner; $place)
      elif $optional then empty
      else "\($place) is missing" end
  end;

# The value of a result's type, with each object of any properties in it replaced by its JSON text.
def with_texts($kind):
  if . == null then .
  elif ($kind | endswith("?")) then with_texts($kind[:-1])
  elif ($kind | startswith("[")) then map(with_texts($kind[1:-1]))
  elif types[$kind] then
    reduce (types[$kind] | to_entries[]) as {$key, $value} (.;
      ($key | rtrimstr("?")) as $name
      | if has($name) | not then .
        elif $value == "object" then .[$name] |= tojson
        else .[$name] |= with_texts($value) end)
  else . end;

# The properties of a result: path, value, path, value, and so on; the value of a list is its length, and that of an
# object with any properties its JSON text. The last string is `complete`. For an invalid result, the only string is its
# first fault.
def members($kind):
  (first(faults($kind; "")) // null) as $fault
  | [
      if $fault then $fault
      else
        with_texts($kind)
        | (paths(type == "array") as $path | ($path | map(tostring) | join(".")), (getpath($path) | length)),
        (tostream
          | select(length == 2 and .[1] != null and (.[1] | type | . != "array" and . != "object"))
          | (.[0] | map(tostring) | join(".")), .[1]),
        "complete"
      end
    ]
  | map(tostring)
  | parts;
