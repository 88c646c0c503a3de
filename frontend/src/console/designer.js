// Styles of the designer's drawing; the page itself needs no script.
import "./designer.css";
