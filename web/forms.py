"""The base of every form: what WTForms itself says, in the language of the page.

WTForms brings catalogues of many languages, none of them Vietnamese. Fields and validators that a
form gives words of their own keep them.
"""

from typing import Any, Final

from flask_babel import get_locale
from flask_wtf import FlaskForm

VIETNAMESE: Final = {
    "Field must be equal to %(other_name)s.": "Phải giống mục %(other_name)s.",
    "Field must be at least %(min)d characters long.": "Cần ít nhất %(min)d ký tự.",
    "Field cannot be longer than %(max)d characters.": "Dài quá %(max)d ký tự.",
    "Field must be exactly %(max)d characters long.": "Cần đúng %(max)d ký tự.",
    "Field must be between %(min)d and %(max)d characters long.": (
        "Cần từ %(min)d đến %(max)d ký tự."
    ),
    "Number must be at least %(min)s.": "Nhỏ nhất là %(min)s.",
    "Number must be at most %(max)s.": "Lớn nhất là %(max)s.",
    "Number must be between %(min)s and %(max)s.": "Nhập số từ %(min)s đến %(max)s.",
    "This field is required.": "Cần nhập mục này.",
    "Invalid input.": "Nội dung không hợp lệ.",
    "Invalid email address.": "Địa chỉ thư không đúng.",
    "Invalid URL.": "Địa chỉ trang không đúng.",
    "Invalid Choice: could not coerce.": "Lựa chọn không hợp lệ.",
    "Invalid choice(s): one or more data inputs could not be coerced.": "Lựa chọn không hợp lệ.",
    "Not a valid choice.": "Lựa chọn không có trong danh sách.",
    "'%(value)s' is not a valid choice for this field.": ("“%(value)s” không có trong danh sách."),
    "'%(value)s' are not valid choices for this field.": ("“%(value)s” không có trong danh sách."),
    "Not a valid datetime value.": "Ngày giờ không đúng.",
    "Not a valid date value.": "Ngày không đúng.",
    "Not a valid time value.": "Giờ không đúng.",
    "Not a valid integer value.": "Cần nhập số nguyên.",
    "Not a valid decimal value.": "Cần nhập số.",
    "Not a valid float value.": "Cần nhập số.",
    "CSRF token missing.": "Trang đã mở quá lâu. Tải lại trang rồi gửi lại.",
    "CSRF token expired.": "Trang đã mở quá lâu. Tải lại trang rồi gửi lại.",
}
"""WTForms' messages, by their own English words."""


class _Words:
    """What WTForms asks for its texts; its English where the page is English."""

    def gettext(self, said: str) -> str:
        return said if _is_english() else VIETNAMESE.get(said, said)

    def ngettext(self, one: str, many: str, count: int) -> str:
        # Vietnamese nouns have no plural: one form serves every count.
        return (one if count == 1 else many) if _is_english() else VIETNAMESE.get(many, many)


def _is_english() -> bool:
    locale = get_locale()
    return locale is not None and locale.language == "en"


class PageForm(FlaskForm):
    """A form of a page."""

    class Meta(FlaskForm.Meta):
        """How its forms are made."""

        def get_translations(self, form: Any) -> _Words:
            """Texts for ``form``."""
            return _Words()
