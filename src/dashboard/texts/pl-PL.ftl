# Wszystko, co mówią strony posiadacza karty, po polsku. Bez form „ty", gdzie to możliwe.

## Frame of every page

service-name = Ślad węglowy
skip-link = Przejdź do treści
overview-link = Przegląd
language-heading = Język
view-ends = Ten widok zamknie się o { $time } { $zone }.
view-ends-soon = Ten widok zamknie się za 2 minuty.
keep-open = Nie zamykaj
fixed-sentence = Nic tutaj nie wpływa na kartę, limit ani kredyt.

## Figures

figure-kg = { $number } kg
figure-tonnes = { $number } t
figure-under-one = mniej niż 1 kg
figure-under-minus-one = między 0 a −1 kg
figure-about = około { $figure }
about = około
exact-grams = { $number } g CO₂e
exact-pounds = { $number } funta CO₂e
column-footprint = Ślad
payments-count = { $count ->
    [one] { $shown } transakcja
    [few] { $shown } transakcje
    [many] { $shown } transakcji
   *[other] { $shown } transakcji
}

## Confidence

confidence = Pewność szacunku
confidence-high = wysoka
confidence-medium = średnia
confidence-low = niska
confidence-none = nieuwzględnione

## Overview: month and total

overview-title = Ślad węglowy, { $month }
month-heading = Miesiąc
month-select = Wybierz miesiąc
month-show = Pokaż
month-previous = Poprzedni miesiąc: { $month }
month-next = Następny miesiąc: { $month }
total-heading = Suma: { $month }
total-estimate = Szacunek
total-so-far = Szacunek, do tej pory w tym miesiącu
total-so-far-incomplete = Szacunek, do tej pory w tym miesiącu, niepełny
total-incomplete = Szacunek, niepełny
total-coverage = { $count ->
    [one] Uwzględniono { $scored } z { $shown } transakcji, { $share } wydatków
    [few] Uwzględniono { $scored } z { $shown } transakcji, { $share } wydatków
    [many] Uwzględniono { $scored } z { $shown } transakcji, { $share } wydatków
   *[other] Uwzględniono { $scored } z { $shown } transakcji, { $share } wydatków
}
total-no-payments = Brak transakcji: { $month }.
total-only-unscored = W tym miesiącu nic nie jest liczone: wszystkie transakcje są rodzaju, którego się nie liczy.
total-negative = W tym miesiącu zwroty przewyższają zakupy.
exact-heading = Dokładna wartość i braki
exact-sum = Dokładna suma
exact-confidence = Udział w śladzie według pewności
exact-not-counted = Nieuwzględnione
exact-why = Oszacowano na podstawie zapłaconej kwoty, a nie zakupionych rzeczy.
exact-updated = Ostatnie obliczenie
exact-method = Wersja metody

## Overview: state of the calculation

scoring-heading = Trwa obliczanie
scoring-waiting = Przeliczamy ostatnie 12 miesięcy, zwykle trwa to do 24 godzin.
scoring-progress = Gotowe: { $scored } z { $total } transakcji.
scoring-again = Sprawdź ponownie
scoring-failed-heading = Niedostępne
scoring-failed = Nie udało się obliczyć śladu. Następna próba nastąpi w ciągu 24 godzin.
empty-heading = Nie ma jeszcze transakcji
empty-text = Transakcje kartą z ostatnich 12 miesięcy pojawią się tutaj po rozliczeniu, zwykle w ciągu 24 godzin od przystąpienia. Nowe transakcje pojawiają się kilka dni po zakupie.
notice-heading = Metoda się zmieniła
notice-text = { $date } transakcje obliczono na nowo według wersji { $version } metody. Suma z ostatnich 12 miesięcy wynosiła { $old }, a teraz wynosi { $new }.

## Overview: introduction

intro-heading = Co tu widać
intro-estimate-heading = Szacunek na podstawie wydatków
intro-estimate = Każda transakcja jest przeliczana na kilogramy CO₂e na podstawie kwoty i rodzaju sklepu. Jest to trafne przeciętnie, a nie przy każdym zakupie.
intro-missing-heading = Część obrazu
intro-missing = Nie obejmuje gotówki, innych kart, czynszu płaconego przelewem ani usług publicznych.
intro-card-heading = Bez wpływu na kartę
intro-done = Rozumiem
intro-skip = Pomiń
intro-again = Pokaż wprowadzenie ponownie

## Overview: comparisons

self-heading = Porównanie z własnymi miesiącami
self-month = { $month }: około { $figure }
self-less-previous = o około { $figure } mniej niż w miesiącu { $month }
self-more-previous = o około { $figure } więcej niż w miesiącu { $month }
self-same-previous = mniej więcej tyle samo co w miesiącu { $month }
self-less-usual = o około { $figure } mniej niż w zwykłym miesiącu
self-more-usual = o około { $figure } więcej niż w zwykłym miesiącu
self-same-usual = mniej więcej tyle samo co w zwykłym miesiącu
self-usual-note = { $count ->
    [one] Zwykły miesiąc to mediana z ostatniego { $shown } pełnego miesiąca.
    [few] Zwykły miesiąc to mediana z ostatnich { $shown } pełnych miesięcy.
    [many] Zwykły miesiąc to mediana z ostatnich { $shown } pełnych miesięcy.
   *[other] Zwykły miesiąc to mediana z ostatnich { $shown } pełnego miesiąca.
}
benchmark-heading = Średnio miesięcznie
benchmark-who = Kto
benchmark-you = Własny ślad
benchmark-country = Średnia krajowa
benchmark-world = Średnia światowa
benchmark-goal = Cel ONZ
benchmark-coverage = Karta pokazuje część życia, a wartość dla kraju pokazuje wszystko: przemysł, usługi publiczne, ogrzewanie i zakupy opłacone w inny sposób.
benchmark-gases = Te trzy słupki liczą tylko CO₂, tak jak statystyki krajowe. Wszystkie inne wartości liczą każdy gaz cieplarniany (CO₂e).
benchmark-missing = Brak wartości dla kraju { $country }, dlatego pokazano średnią światową.
benchmark-none = Brak wartości do porównania dla kraju { $country }.
benchmark-sources = Źródła
benchmark-own = { $count ->
    [one] Własny ślad: średnia z ostatniego { $shown } pełnego miesiąca.
    [few] Własny ślad: średnia z ostatnich { $shown } pełnych miesięcy.
    [many] Własny ślad: średnia z ostatnich { $shown } pełnych miesięcy.
   *[other] Własny ślad: średnia z ostatnich { $shown } pełnego miesiąca.
}
benchmark-country-source = Średnia: emisje CO₂ na osobę w roku { $year } ({ $place }), podzielone przez 12. Our World in Data i Global Carbon Project, licencja CC BY 4.0.
benchmark-goal-source = Cel ONZ: połowa wartości z roku { $year } ({ $place }), podzielona przez 12.
place-world = świat

## Overview: twelve months

months-heading = 12 miesięcy
months-highest = Najwięcej: { $month }, { $figure }.
months-table = Pokaż jako tabelę
months-month = Miesiąc
months-running = do tej pory
months-none = brak danych
months-line-country = Średnia krajowa (CO₂)
months-line-world = Średnia światowa (CO₂)
months-line-goal = Cel ONZ (CO₂)
months-legend-running = bieżący miesiąc

## Overview: categories, what if, payments, donations

categories-heading = Według kategorii
categories-category = Kategoria
categories-none = Brak danych do pokazania: { $month }.
categories-change-more = o { $figure } więcej niż w poprzednim miesiącu
categories-change-less = o { $figure } mniej niż w poprzednim miesiącu
categories-change-same = mniej więcej tyle co w poprzednim miesiącu
what-if-heading = A gdyby…
what-if-category = Kategoria
what-if-cut = Mniej o
what-if-show = Pokaż
what-if-result = Wydatki mniejsze o { $percent } w kategorii { $category } to o około { $figure } mniej miesięcznie.
what-if-basis = { $count ->
    [one] Obliczono z { $shown } pełnego miesiąca własnych transakcji: teraz { $before } miesięcznie, potem { $after }.
    [few] Obliczono ze średniej z { $shown } pełnych miesięcy własnych transakcji: teraz { $before } miesięcznie, potem { $after }.
    [many] Obliczono ze średniej z { $shown } pełnych miesięcy własnych transakcji: teraz { $before } miesięcznie, potem { $after }.
   *[other] Obliczono ze średniej z { $shown } pełnego miesiąca własnych transakcji: teraz { $before } miesięcznie, potem { $after }.
}
payments-heading = Transakcje
payments-all = Wszystkie transakcje
payments-none = Brak transakcji.
donation-heading = Wesprzyj projekt
donation-note = Darowizna nie zmienia śladu.
about-heading = O usłudze
about-provider = Usługa: { $issuer }.
about-card = Karta kończąca się na { $digits }.
about-method = Wersja metody { $version }, obowiązuje od { $date }.
about-method-plain = Wersja metody { $version }.
link-method = Jak to działa
link-terms = Regulamin
link-privacy = Informacja o prywatności
link-opt-out = Zrezygnuj z tej usługi
link-return = Powrót do aplikacji

## Category page

category-title = { $category }, { $month }
category-months = Miesiące
category-share = { $share } śladu tego miesiąca
category-payments = Transakcje: { $month }

## Payments page

payments-title = Transakcje, { $month }
payments-title-all = Transakcje
payments-title-category = Transakcje: { $category }
payments-range = { $first } do { $last } z { $total }
payments-previous-page = Poprzednia strona
payments-next-page = Następna strona
payments-pages = Strony
payments-date = Data
payments-amount = Kwota
payments-refund = zwrot
payments-reversal = cofnięcie
payments-not-counted = nieuwzględnione

## Payment page

payment-title = Jak to oszacowano?
payment-facts = Transakcja
payment-status = Rodzaj
payment-status-purchase = płatność
payment-unknown-merchant = Płatność kartą
payment-category = Kategoria
payment-category-mcc = z kodu kategorii sklepu { $mcc }
payment-country = Kraj sklepu
payment-steps = Obliczenie
payment-converted = Przeliczono
payment-converted-value = { $amount }, po kursie z { $date }
payment-price-year = W cenach z roku { $year }
payment-price-year-value = { $amount } (× { $factor })
payment-factor = Wskaźnik emisji
payment-factor-value = { $factor } kg CO₂e na { $unit }
payment-quantity = { $carrier }
payment-quantity-value = { $quantity } po { $price } za { $unit }, { $factor } kg CO₂e na { $unit }
carrier-petrol = Benzyna
carrier-diesel = Olej napędowy
carrier-natural_gas = Gaz ziemny
carrier-electricity = Prąd
unit-litre = l
unit-kwh = kWh
payment-source = Źródło wskaźnika
payment-source-europe = FIGARO (Eurostat), ze strukturą cen i VAT
payment-source-usa = Wskaźniki łańcuchów dostaw US EPA, z poprawką na towary importowane
payment-source-energy = EPA Emission Factors Hub, NGA Factors; ceny i sieci według kraju
payment-sum = Suma w jednym wierszu
payment-result = Wynik
payment-stored = Zapisaną wartość obliczono z danych z tamtego dnia; dzisiejsze dane dają inną sumę. Liczy się wartość zapisana.
payment-reversed = To cofnięcie odejmuje dokładnie tyle, ile dodała pierwotna transakcja, więc nie ma własnego obliczenia.
reason-measured_quantity = Ilość została zmierzona.
reason-sector_factor = Jeden rodzaj produktu lub usługi, ze wskaźnikiem jego branży.
reason-mixed_basket = Sklep sprzedaje wiele rodzajów rzeczy; nie wiadomo, co kupiono.
reason-rough_sector = Wskaźnik tej branży jest przybliżony.
reason-quantity_from_price = Ilość energii obliczono z ceny.
payment-nothing = Ta transakcja nie jest liczona: nic nie dodaje do sumy.
unscored-not-scored = Nic jeszcze nie kupiono albo nie wiadomo co: { $category }.
unscored-invalid-mcc = Kod kategorii sklepu jest nieznany.
unscored-unsupported-currency = Brak kursu wymiany tej waluty.
unscored-out-of-range = Kwoty nie dało się obliczyć.
payment-refund-note = Zwrot liczy się w miesiącu, w którym został rozliczony.

## Method page

method-title = Jak to działa
method-estimate-heading = Od transakcji do śladu
method-estimate = Kwota jest przeliczana po kursie dnia, sprowadzana do cen jednego roku i mnożona przez średnie emisje tego rodzaju sklepu w jego kraju. Przy paliwie i prądzie cena mówi, ile litrów lub kilowatogodzin kupiono, a te mnoży się przez emisje z ich wytworzenia i zużycia.
method-limits-heading = Ograniczenia
method-limits = Dwa koszyki o tej samej cenie z tego samego rodzaju sklepu mają tę samą wartość, niezależnie od zawartości. Drogie rzeczy wydają się emitować więcej, niż emitują, a tanie mniej. Liczą się tylko rozliczone transakcje.
method-confidence-heading = Pewność szacunku
method-confidence-high = Wysoka: ze zmierzonej ilości.
method-confidence-medium = Średnia: jeden rodzaj produktu lub usługi, ze wskaźnikiem jego branży.
method-confidence-low = Niska: mieszane koszyki, ilości obliczone z cen, przybliżone branże.
method-rounding = Sumy są zaokrąglane do dwóch cyfr znaczących, bo więcej cyfr sugerowałoby dokładność, której nie ma.
method-refunds-heading = Zwroty
method-refunds = Zwrot liczy się ze znakiem minus w miesiącu, w którym został rozliczony. Miesiąc może więc spaść poniżej zera.
method-unscored-heading = Co nie jest liczone
method-unscored = Gotówka, przelewy, pożyczki, środki przedpłacone, stawki w grach, podatki, mandaty i papiery wartościowe. Nic nie dodają do sumy, a ich udział w wydatkach jest pokazany.
method-sources-heading = Źródła
method-sources = Wskaźniki emisji: FIGARO (Eurostat) dla 30 krajów europejskich, US EPA dla pozostałych. Kursy walut: Europejski Bank Centralny. Ceny: Eurostat, Komisja Europejska, urzędy USA. Średnie krajowe: Our World in Data.
method-versions-heading = Wersja
method-privacy-heading = Kto co widzi
method-privacy = Te wartości widzi posiadacz karty i usługa { $issuer }. Są przechowywane w postaci zaszyfrowanej, nie są sprzedawane i są usuwane po rezygnacji z usługi. Żadna strona tego widoku nie pobiera niczego z zewnątrz.

## Introduction page

intro-title = Wprowadzenie

## Pages that end a visit

closed-title = Ten widok został zamknięty
closed-text = Otwórz ponownie w aplikacji banku.
closed-no-cookie = Ta aplikacja nie zapisuje plików cookie, więc widok nie może pozostać otwarty. Zezwól na pliki cookie i otwórz ponownie.
missing-title = Nie znaleziono strony
missing-text = Pod tym adresem nic nie ma.
busy-title = Chwileczkę
busy-text = { $count ->
    [one] Spróbuj ponownie za { $shown } sekundę.
    [few] Spróbuj ponownie za { $shown } sekundy.
    [many] Spróbuj ponownie za { $shown } sekund.
   *[other] Spróbuj ponownie za { $shown } sekundy.
}
failed-title = Coś poszło nie tak
failed-text = Nie udało się utworzyć strony. W zgłoszeniu podaj numer { $id }.

## Spending areas

area-unknown = Nieznana kategoria
area-groceries = Zakupy spożywcze
area-specialty_food = Delikatesy i sklepy osiedlowe
area-alcohol = Piwo, wino i alkohole
area-tobacco = Tytoń
area-restaurants = Restauracje i kawiarnie
area-fast_food = Szybkie jedzenie
area-bars = Bary i kluby
area-general_merchandise = Domy towarowe
area-online_retail = Zakupy internetowe i wysyłkowe
area-clothing = Odzież
area-shoes_leather = Obuwie i skóra
area-electronics = Elektronika
area-furniture_home = Meble i dom
area-appliances = Sprzęt AGD
area-diy_garden = Budowa i ogród
area-sports_hobby = Sport, zabawki i hobby
area-books_media = Książki i prasa
area-jewelry_gifts = Biżuteria i prezenty
area-health_beauty = Apteka i kosmetyki
area-pets = Zwierzęta domowe
area-second_hand = Rzeczy używane
area-business_supplies = Zaopatrzenie firm
area-road_fuel = Paliwo
area-ev_charging = Ładowanie samochodu
area-vehicles = Pojazdy
area-vehicle_service = Części i serwis
area-parking_tolls = Parkingi i opłaty drogowe
area-public_transport = Transport publiczny
area-taxi = Taksówki i przejazdy
area-flights = Loty
area-car_rental = Wynajem samochodów
area-sea_travel = Rejsy i promy
area-freight = Przeprowadzki i poczta
area-utilities = Prąd, gaz i woda
area-heating_fuel = Paliwo grzewcze
area-housing = Czynsz i nieruchomości
area-home_services = Usługi domowe
area-telecom = Telefon, internet i telewizja
area-hotels = Hotele
area-travel_agencies = Wycieczki
area-entertainment = Kino i wydarzenia
area-sport_recreation = Sport i rekreacja
area-digital_media = Media cyfrowe i gry
area-health = Zdrowie i opieka
area-education = Edukacja
area-childcare = Opieka nad dziećmi
area-personal_services = Usługi osobiste
area-professional_services = Usługi dla firm
area-insurance_finance = Ubezpieczenia i finanse
area-organizations = Organizacje i składki
area-government = Usługi urzędowe
area-repair = Naprawa i wypożyczanie
area-cash = Gotówka
area-transfers = Przelewy i długi
area-gambling = Stawki w grach
area-taxes_fines = Podatki i mandaty
area-securities = Papiery wartościowe
area-network_internal = Sieć kart
