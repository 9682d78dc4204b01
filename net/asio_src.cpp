// Asio and Beast are compiled once, here; every other file sees declarations
// only (the SEPARATE_COMPILATION macros are public to all users of this room).
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
